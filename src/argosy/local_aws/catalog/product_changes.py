"""The change types of machine-learning products: what each makes of a product, and when it cannot.

Error codes of AddDeliveryOptions are AWS's (Catalog API, "Add a new version" for machine learning; read 2026-11-23).
For the other change types AWS's documents name none; those codes are this file's own.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from argosy.local_aws.catalog.packages import ModelPackage
from argosy.local_aws.catalog.setting import INGESTION, ChangeFaults, Setting, refuse
from argosy.local_aws.marketplace.state import Fault, Json, Product, Version, Visibility

DETAILS: Final = "SageMakerModelPackageDeliveryOptionDetails"
_STATUS: Final = "INCOMPATIBLE_PRODUCT_STATUS"
_REQUIRED_TEXTS: Final = (
    "ProductTitle",
    "ShortDescription",
    "LongDescription",
    "LogoUrl",
    "Highlights",
    "SupportDescription",
    "Categories",
    "SearchKeywords",
)
_NEXT: Final[Mapping[Visibility, tuple[Visibility, ...]]] = {
    "Draft": (),
    "Limited": ("Public", "Restricted"),
    "Public": ("Restricted",),
    "Restricted": (),
}

Apply = Callable[[Product, Json, Setting], Product]


def created(details: Json, setting: Setting) -> Product:
    """CreateProduct."""
    return Product(
        id=setting.new_id("prod-"),
        account=setting.account,
        code=setting.new_id("").replace("-", "")[:25],
        modified=setting.now,
        revision=0,
        texts=dict(details),
    )


def update_information(product: Product, details: Json, setting: Setting) -> Product:
    """UpdateInformation: what is named is replaced."""
    _require_open(product)
    return replace(product, texts={**product.texts, **details})


def add_delivery_options(product: Product, details: Json, setting: Setting) -> Product:
    """AddDeliveryOptions: a version of one model package, which is copied to where buyers find it when the set ends."""
    _require_open(product)
    option = details["DeliveryOptions"][0]["Details"][DETAILS]
    arn = option["SageMakerModelPackageArn"]
    title = details["Version"]["VersionTitle"]
    package = setting.packages.get(arn)
    faults = [*_faults_of_title(product, title), *_faults_of_asset(product, arn, package, setting)]
    faults += _faults_of_role(option["AccessRoleArn"], setting)
    if package is not None:
        faults += _faults_of_recommended(option, package.realtime_types, package.batch_types)
    if faults or package is None:
        raise ChangeFaults(faults)
    version = Version(
        id=setting.new_id(""),
        title=title,
        notes=details["Version"]["ReleaseNotes"],
        created=setting.now,
        option_id=setting.new_id(""),
        source_id=setting.new_id(""),
        package_arn=arn,
        details={name: value for name, value in option.items() if name not in _NOT_SHOWN},
        realtime_types=package.realtime_types,
        batch_types=package.batch_types,
        content_types=package.content_types,
        response_types=package.response_types,
    )
    return replace(product, versions=(*product.versions, version))


_NOT_SHOWN: Final = frozenset({"SageMakerModelPackageArn", "AccessRoleArn"})


def update_delivery_options(product: Product, details: Json, setting: Setting) -> Product:
    """UpdateDeliveryOptions: texts of one version; its package stays."""
    _require_open(product)
    options = details.get("DeliveryOptions", ())
    if not options:
        raise refuse("INVALID_DELIVERY_OPTION_ID", "DeliveryOptions does not say which version is meant.")
    version = _found(product, options[0]["Id"])
    texts = details.get("Version", {})
    given = options[0].get("Details", {}).get(DETAILS, {})
    faults = list(_faults_of_recommended(given, version.realtime_types, version.batch_types))
    if texts.get("VersionTitle", version.title) != version.title:
        faults += _faults_of_title(product, texts["VersionTitle"])
    if faults:
        raise ChangeFaults(faults)
    changed = replace(
        version,
        title=texts.get("VersionTitle", version.title),
        notes=texts.get("ReleaseNotes", version.notes),
        details={**version.details, **given},
    )
    return _with(product, changed)


def restrict_delivery_options(product: Product, details: Json, setting: Setting) -> Product:
    """RestrictDeliveryOptions: closed to new buyers; the last version stays open."""
    _require_open(product)
    for option_id in dict.fromkeys(details["DeliveryOptionIds"]):
        version = _found(product, option_id)
        if version.restricted is not None:
            raise refuse("INVALID_DELIVERY_OPTION_ID", f"Delivery option {option_id} is restricted already.")
        product = _with(product, replace(version, restricted=setting.now))
    if not product.open_versions:
        raise refuse("LAST_DELIVERY_OPTION", "The last version that is not restricted cannot be restricted.")
    return product


def update_targeting(product: Product, details: Json, setting: Setting) -> Product:
    """UpdateTargeting: who sees the product while it is limited."""
    _require_open(product)
    return replace(product, buyer_accounts=tuple(details["PositiveTargeting"]["BuyerAccounts"]))


def update_visibility(product: Product, details: Json, setting: Setting) -> Product:
    """UpdateVisibility: Limited -> Public -> Restricted."""
    target: Visibility = details["TargetVisibility"]
    if target not in _NEXT[product.visibility]:
        raise refuse(_STATUS, f"A product that is {product.visibility} cannot become {target}.")
    return replace(product, visibility=target, replacement=details.get("ReplacementProductId"))


def release(product: Product, details: Json, setting: Setting) -> Product:
    """ReleaseProduct: Draft -> Limited; whether it is complete is seen when the whole set has been made."""
    if product.visibility != "Draft":
        raise refuse(_STATUS, f"A product that is {product.visibility} cannot be released.")
    return replace(product, visibility="Limited")


def missing_of_release(product: Product) -> list[str]:
    """What a product lacks that is to be released."""
    missing = [name for name in _REQUIRED_TEXTS if not product.texts.get(name)]
    return missing if product.open_versions else [*missing, "a version"]


def _require_open(product: Product) -> None:
    if product.visibility == "Restricted":
        raise refuse(_STATUS, f"Product {product.id} is restricted.")


def _found(product: Product, option_id: str) -> Version:
    for version in product.versions:
        if version.option_id == option_id:
            return version
    raise refuse("INVALID_DELIVERY_OPTION_ID", f"Product {product.id} has no delivery option {option_id}.")


def _with(product: Product, changed: Version) -> Product:
    versions = tuple(changed if version.id == changed.id else version for version in product.versions)
    return replace(product, versions=versions)


def _faults_of_title(product: Product, title: str) -> Iterator[Fault]:
    if any(version.title == title for version in product.versions):
        yield Fault("DUPLICATE_VERSION_TITLE", f"A version of this product has the title {title}.")


def _faults_of_asset(product: Product, arn: str, package: ModelPackage | None, setting: Setting) -> Iterator[Fault]:
    region, account, name = arn.split(":", 5)[3:6]
    if region not in setting.options.regions:
        yield Fault("INVALID_ASSET_ARN", f"Model packages of region {region} cannot be offered.")
    elif name.count("/") != 1:
        yield Fault("INVALID_ASSET_ARN", f"{arn} is a version of a model package group; it has to be unversioned.")
    elif account != setting.account or package is None:
        yield Fault("ASSET_NOT_FOUND", f"There is no model package {arn} that account {setting.account} owns.")
    elif package.is_versioned:
        yield Fault("INVALID_ASSET_ARN", f"{arn} is a version of a model package group; it has to be unversioned.")
    elif package.status != "Completed":
        yield Fault("ASSET_VALIDATION_EXCEPTION", f"{arn} is {package.status}, and has to be Completed.")
    elif not package.is_certified:
        yield Fault("ASSET_VALIDATION_EXCEPTION", f"{arn} was made without CertifyForMarketplace.")
    if any(version.package_arn == arn for version in product.versions):
        yield Fault("DUPLICATE_ASSET", f"A version of this product has the model package {arn}.")


def _faults_of_role(role: str, setting: Setting) -> Iterator[Fault]:
    services = setting.trusted.get(role)
    if role.split(":")[4] != setting.account:
        yield Fault("INVALID_ACCESS_ROLE", f"{role} is of another account.")
    elif services is None:
        yield Fault("INVALID_ACCESS_ROLE", f"There is no role {role}.")
    elif INGESTION not in services:
        yield Fault("INVALID_ACCESS_ROLE", f"{role} does not trust {INGESTION}.")


def _faults_of_recommended(option: Json, realtime: tuple[str, ...], batch: tuple[str, ...]) -> Iterator[Fault]:
    given: Mapping[str, Any] = option.get("RecommendedInstanceTypes", {})
    for name, supported in (("RealtimeInference", realtime), ("BatchTransform", batch)):
        if name in given and given[name] not in supported:
            want = ", ".join(supported)
            yield Fault("INVALID_RECOMMENDED_INSTANCE_TYPE", f"{name} {given[name]} is none of {want}.")


PRODUCT_CHANGES: Final[Mapping[str, Apply]] = {
    "UpdateInformation": update_information,
    "AddDeliveryOptions": add_delivery_options,
    "UpdateDeliveryOptions": update_delivery_options,
    "RestrictDeliveryOptions": restrict_delivery_options,
    "UpdateTargeting": update_targeting,
    "UpdateVisibility": update_visibility,
    "ReleaseProduct": release,
}
"""What a change type makes of a product that is there."""
