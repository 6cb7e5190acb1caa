"""How well tasks are done on labelled images: data sets, metrics, intervals, comparisons."""
