"""What runs on the box: checks a bundle, installs it, goes back, removes it.

Nothing here needs more than Python's standard library: a bundle carries these files, and the few
of ours that they import, as `installer.pyz`.
"""
