"""The app's bucket in the file archive: what its machines are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dayfly.config.app import App
from dayfly.files.errors import FilesError
from dayfly.files.tenants import Access
from dayfly.machines.machine import Spec
from dayfly.release import archived
from dayfly.release.work import Parts, RefusedError, Work

SECRET = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
# An app that names one of these uses S3 elsewhere, and half of our settings would break that.
ELSEWHERE = frozenset({
    "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", SECRET, "AWS_SESSION_TOKEN",
    "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """Variables of a machine."""

    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def admit(work: Work) -> None:
    """The bucket is made before anything needs it; RefusedError where it is another app's."""
    if work.app.database is not None:
        _with_safe(work)
    if uses_another(work.app):
        work.emit("note", message="it has S3 settings of its own, so it is told of no bucket")
        if not work.app.needs_bucket:
            return
    archive = work.parts.archive
    try:
        archive.access(work.app.app, archive.bucket_of(work.app))
        archive.empty_trial(work.app.app)
    except FilesError as error:
        raise RefusedError(error.message, hint=error.hint) from error


def _with_safe(work: Work) -> None:
    """What a migration takes away has to have a place, before that is known."""
    try:
        if safe := archived.safe(work.parts):
            safe.begin()
    except FilesError as error:
        raise RefusedError(error.message, hint=error.hint) from error


def told(parts: Parts, app: App, machine: str, *, job: bool) -> Told:
    """To a machine of the app, which writes under its own name."""
    if uses_another(app):
        return Told()
    access = parts.archive.access(app.app, parts.archive.bucket_of(app))
    return variables(access, access.key_id(machine, job=job))


def apart(parts: Parts, app: App, spec: Spec) -> Spec:
    """A machine that must not see production's files gets a bucket to try things in, or none."""
    if uses_another(app):
        return spec
    job = spec.kind == "job"
    access = parts.archive.trial(app.app)
    trial = variables(access, access.key_id(spec.name, job=job)) if access else Told()
    own = told(parts, app, spec.name, job=job)
    return replace(
        spec,
        env=_replaced(spec.env, own.env, trial.env),
        secrets=_replaced(spec.secrets, own.secrets, trial.secrets),
    )


def _replaced(
    values: Mapping[str, str], own: Mapping[str, str], trial: Mapping[str, str]
) -> dict[str, str]:
    """What is ours among the variables of a machine; what the app says itself stays."""
    ours = {name for name, text in values.items() if own.get(name) == text}
    kept = {name: text for name, text in values.items() if name not in ours}
    return kept | {name: text for name, text in trial.items() if name in ours}


def uses_another(app: App) -> bool:
    return bool(ELSEWHERE & {*app.env, *app.secrets})


def variables(access: Access, key_id: str) -> Told:
    public = {"DAYFLY_FILES_URL": access.public} if access.public else {}
    return Told(
        env={
            **public,
            "AWS_ENDPOINT_URL": access.endpoint,
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_REGION": access.region,
            "AWS_DEFAULT_REGION": access.region,
            "DAYFLY_BUCKET": access.bucket,
        },
        secrets={SECRET: access.key.secret_access_key},
    )
