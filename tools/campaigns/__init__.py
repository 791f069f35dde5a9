"""Parts of the campaign of faults; see tools/campaign.py."""
