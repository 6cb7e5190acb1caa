"""What a site has decided: its policy, its keys, its audit log."""

from sakedge.site.admission import Admitted
from sakedge.site.policy import Action, Policy
from sakedge.site.site import Site

__all__ = ["Action", "Admitted", "Policy", "Site"]
