"""The checks of the seller's AWS account: judged from what AWS answered, where `--online` lets it be asked."""
