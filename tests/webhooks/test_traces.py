"""The spans of messages to webhooks."""

from dataclasses import replace

from app.observe import Observer
from app.observe.traces import open_traces
from tests.support.collector import running_collector
from tests.webhooks.conftest import Hooked
from tests.webhooks.receiver import answer


async def test_a_message_is_a_part_of_the_trace_of_its_run(hooked: Hooked) -> None:
    hook = await hooked.hook()
    with running_collector() as collector:
        traces = open_traces(collector.url, None)
        worker = replace(hooked, runtime=replace(hooked.runtime, observe=Observer(traces)))
        await worker.import_file()
        hooked.receiver.answers.append(answer(500))
        assert await worker.deliver() == 1
        assert await worker.deliver(seconds=3_600) == 1
        await worker.test(hook)
        assert await worker.deliver() == 1  # that tells of no run
        await traces.close()
    (run,) = collector.named("import")
    messages = collector.named("webhook run.finished")
    assert [(each.parent, each.failed, each.attributes.get("error.type")) for each in messages] == [
        (run.id, True, "500"),
        (run.id, False, None),
    ]
    assert hooked.receiver.url.encode() not in b"".join(collector.bodies)
