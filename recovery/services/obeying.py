"""What the enterprise worker does: it opens the order, compares it with its row, and acts on it alone."""

import hashlib
from collections.abc import Callable, Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.utils import timezone

from audit import keys, queue
from audit import services as audit
from audit.errors import Forged, Refused
from audit.events import Event
from encryption.crypto import kdf, providers, seal
from encryption.crypto.secret import Secret
from encryption.errors import EngineError
from encryption.services import messages
from recovery import armor, order
from recovery.documents import export
from recovery.errors import NotGenuine, Replayed
from recovery.models import EnterpriseTask, Keyset
from recovery.services import answers, keysets, private, servers

State = EnterpriseTask.State
# What opens nothing needs no order.
_WISHES: Mapping[str, Callable[[EnterpriseTask], None]] = {
    "generate": keysets.make,
    "revoke": servers.revoke_now,
}


def obey(task_id: UUID) -> None:
    """Do one task, once; whatever is refused ends it with its reason, and is logged."""
    task = EnterpriseTask.objects.filter(pk=task_id, state=State.OPEN).first()
    if task is None:
        messages.refuse(queue.Task.ENTERPRISE, task_id, "no such task")
        return
    if task.action in _WISHES:
        _WISHES[task.action](task)
        _end(task.pk, State.DONE)
        return
    try:
        wish = order.open_order(task.order, keys.signing_public())
        if (wish.action, wish.request) != (task.action, task.request):
            raise Forged("The task is not what its signed order says.")
        result = _do(wish, task)
    except (Forged, Refused, EngineError, InvalidTag) as error:
        _end(task.pk, State.REFUSED, why=getattr(error, "message", "") or str(error))
    else:
        _end(task.pk, State.DONE, result=result)


def _do(wish: order.Order, task: EnterpriseTask) -> str:
    if wish.action == "answer" and wish.case is not None:
        answers.answer(wish.case, wish.subject)
    elif wish.action == "export" and wish.keyset is not None:
        return _export(wish.keyset, task)
    elif wish.action == "import" and wish.keyset is not None:
        _import(wish, task)
    else:
        _change_rows(wish, task)
    return ""


def _change_rows(wish: order.Order, task: EnterpriseTask) -> None:
    now = timezone.now().replace(microsecond=0)
    with audit.act(by=audit.ENTERPRISE, subject=("recovery.enterprisetask", task.pk)):
        if wish.action == "activate" and wish.keyset is not None:
            keysets.activate_within(wish.keyset, weeks=int(task.given["weeks"]), now=now)
        elif wish.action == "delete" and wish.keyset is not None:
            keysets.delete_within(wish.keyset, now)
        elif wish.action == "register" and wish.server is not None:
            servers.register_within(wish.server, wish.subject)
        else:
            raise Forged("The order names nothing that could be done.")
    if wish.action == "delete" and wish.keyset is not None:
        private.forget(wish.keyset)


def _export(keyset_id: UUID, task: EnterpriseTask) -> str:
    keyset = Keyset.objects.get(pk=keyset_id)
    head = export.Head(
        keyset=keyset.pk,
        suite=keyset.suite,
        public=bytes(keyset.public),
        description=keyset.description,
        enterprise=keyset.enterprise,
        created=timezone.now().replace(microsecond=0),
        kdf=kdf.new_parameters(fips=settings.VEEAMSEC_FIPS),
    )
    content = export.seal(head, private.half_of(keyset), _passphrase(task))
    with audit.act(by=audit.ENTERPRISE, subject=keyset):
        Keyset.objects.filter(pk=keyset.pk).update(exported_at=timezone.now())
        audit.record(Event.KEYSET_EXPORTED, facts={"sha256": hashlib.sha256(content).hexdigest()})
    return armor.write(armor.Kind.EXPORT, content)


def _import(wish: order.Order, task: EnterpriseTask) -> None:
    content = armor.read(armor.Kind.EXPORT, task.given["text"])
    if hashlib.sha256(content).hexdigest() != wish.subject:
        raise NotGenuine("The export is not the one that was approved.")
    head, half = export.open_export(content, _passphrase(task))
    if head.keyset != wish.keyset:
        raise NotGenuine("The export holds another keyset than the one that was approved.")
    if Keyset.objects.filter(pk=head.keyset, own=True).exclude(state=Keyset.State.DELETED).exists():
        raise Replayed("This keyset is held here already.")
    private.keep(head.keyset, half)
    with audit.act(by=audit.ENTERPRISE, subject=("recovery.keyset", head.keyset)):
        Keyset.objects.create(
            id=head.keyset,
            suite=head.suite,
            public=head.public,
            description=head.description,
            imported=True,
            enterprise=head.enterprise,
            request=wish.request,
        )
        audit.record(Event.KEYSET_IMPORTED, facts={"suite": head.suite})


def _passphrase(task: EnterpriseTask) -> Secret:
    """Return the passphrase that the worker sealed for this task."""
    if task.sealed is None:
        raise NotGenuine("The passphrase is missing: ask again.")
    key = providers.load_enterprise_seal(settings.ENTERPRISE_KEYS)
    return Secret(seal.open_intake(key, bytes(task.sealed), seal.intake_info(task.pk)))


def _end(task_id: UUID, state: str, *, result: str = "", why: str = "") -> None:
    with audit.act(by=audit.ENTERPRISE, subject=("recovery.enterprisetask", task_id)):
        task = EnterpriseTask.objects.select_for_update().get(pk=task_id)
        task.state, task.result, task.why, task.sealed, task.ended_at = (
            state,
            result,
            why,
            None,
            timezone.now(),
        )
        task.save(update_fields=["state", "result", "why", "sealed", "ended_at"])
        if state == State.REFUSED:
            audit.record(Event.ENTERPRISE_REFUSED, facts={"action": task.action, "reason": why})
