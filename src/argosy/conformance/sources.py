"""Where demands are written down that are not SageMaker's own pages; those are in `contract`."""

from typing import Final

MARKETPLACE_GUIDE: Final = "https://docs.aws.amazon.com/marketplace/latest/userguide"
MODEL_PACKAGE_IMAGES: Final = f"{MARKETPLACE_GUIDE}/ml-model-package-images.html"
MARKETPLACE_SECURITY: Final = f"{MARKETPLACE_GUIDE}/ml-security-and-intellectual-property.html"
MARKETPLACE_PRICING: Final = f"{MARKETPLACE_GUIDE}/machine-learning-pricing.html"
MARKETPLACE_QUOTAS: Final = f"{MARKETPLACE_GUIDE}/ml-service-restrictions-and-limits.html"
MARKETPLACE_LISTING: Final = f"{MARKETPLACE_GUIDE}/ml-listing-requirements-and-best-practices.html"
MARKETPLACE_UPLOAD: Final = f"{MARKETPLACE_GUIDE}/ml-uploading-your-images.html"
MARKETPLACE_RESOURCE: Final = f"{MARKETPLACE_GUIDE}/ml-creating-your-amazon-sagemaker-resource.html"
MARKETPLACE_TROUBLE: Final = f"{MARKETPLACE_GUIDE}/ml-troubleshooting.html"
ISOLATION_PAGE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html"
SDK_ISSUES: Final = "https://github.com/aws/sagemaker-python-sdk/issues"
EXAMPLES_ISSUES: Final = "https://github.com/aws/amazon-sagemaker-examples/issues"
SERVING_ISSUES: Final = "https://github.com/aws/sagemaker-tensorflow-serving-container/issues"
FEEDBACK_ISSUES: Final = "https://github.com/aws/amazon-sagemaker-feedback/issues"
