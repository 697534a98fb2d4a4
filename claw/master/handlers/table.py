"""Which function carries out which method; a test holds it against the table of methods."""

from collections.abc import Mapping

from claw.master.control.calls import Handler
from claw.master.handlers import alert, child, config, daemon, event, idem, job, log, rpc, run

HANDLERS: Mapping[str, Handler] = {
    "hello": rpc.hello,
    "rpc.discover": rpc.discover,
    "job.status": job.status,
    "job.start": job.start,
    "job.stop": job.stop,
    "job.restart": job.restart,
    "job.scale": job.scale,
    "job.pause": job.pause,
    "job.resume": job.resume,
    "job.signal": child.send_signal,
    "job.reload": child.reload,
    "job.attach": child.attach,
    "job.type": child.type_,
    "job.resize": child.resize,
    "job.search": job.search,
    "job.why": job.why,
    "run.submit": run.submit,
    "run.cancel": run.cancel,
    "run.show": run.show,
    "run.list": run.list_,
    "run.wait": run.wait,
    "log.read": log.read,
    "log.follow": log.follow,
    "event.subscribe": event.subscribe,
    "event.unsubscribe": event.unsubscribe,
    "event.list": event.list_,
    "config.reload": config.reload,
    "daemon.status": daemon.status,
    "daemon.stop": daemon.stop,
    "daemon.restart": daemon.restart,
    "alert.list": alert.list_,
    "alert.ack": alert.ack,
    "idem.list": idem.list_,
    "idem.check": idem.check,
    "idem.claim": idem.claim,
    "idem.release": idem.release,
    "idem.prune": idem.prune,
}
