"""A random walk: imports, dry runs, undos, retries and single writes, and what has to come of each by a small model."""

import json
from random import Random
from typing import Any

import httpx

from tests.walks.conftest import Service
from tests.walks.model import Model, Row, Run

KEYS = ("k1", "k2", "k3", "k4", "k5")
SIZES = ["s", "m"]
MOST_OPEN = 5
HEADER = "sku,name,size\n"


class Walk:
    """A walk through one account. Each step is done to the service and to the model, and then they are compared."""

    def __init__(self, service: Service, seed: int) -> None:
        self.service = service
        self.random = Random(seed)
        self.model = Model(SIZES)
        self.told: list[str] = []
        self.ended: set[str] = set()  # runs that were compared since they have ended

    async def begin(self) -> None:
        assert (await self.service.declare(SIZES)).status_code == 201
        hook = {"name": "All", "url": "https://example.org/hook"}
        assert (await self.service.send("POST", "/webhooks", json=hook)).status_code == 201

    async def step(self) -> None:
        steps = {
            self.start: 5,
            self.work: 9,
            self.finish: 3,
            self.resume: 4,
            self.cancel: 2,
            self.undo: 4,
            self.retry: 2,
            self.correct: 2,
            self.put: 3,
            self.delete: 1,
            self.redeclare: 1,
        }
        (step,) = self.random.choices([*steps], [*steps.values()])
        self.told.append(step.__name__)
        await step()
        await self.compare()

    def pick(self, *, held: bool | None = None, done: bool = False) -> Run | None:
        found = [run for run in self.model.runs.values() if run.done is done and (held is None or run.held is held)]
        return self.random.choice(found) if found else None

    def tell(self, what: object) -> None:
        self.told[-1] += f" {what}"

    # Steps

    async def start(self) -> None:
        if sum(not run.done for run in self.model.runs.values()) >= MOST_OPEN:
            return
        choose = self.random.choice
        rows = [
            Row(choose(KEYS), choose(["", "a", "b", "c"]), choose(["", "s", "m", "s", "m", "xl", "bad"]))
            for _ in range(self.random.randint(1, 6))
        ]
        mode, on_error = (
            choose(["overwrite", "overwrite", "fill", "keep", "remove"]),
            choose(["continue"] * 3 + ["stop", "rollback"]),
        )
        if mode == "remove" and on_error == "stop":
            on_error = "continue"
        replace = mode == "overwrite" and on_error != "stop" and self.random.random() < 0.2
        dry = on_error != "stop" and self.random.random() < 0.35
        brakes = (
            {choose(["maxErrors", "maxCreated", "maxUpdated"]): choose([0, 1, 2])} if self.random.random() < 0.3 else {}
        )
        if mode == "remove" and brakes:
            brakes = {"maxRemoved": choose([0, 1, 2])}
        options = {"mode": mode, "on_error": on_error, "replace": replace, "dry": dry, "brakes": brakes}
        await self.send_file(rows, options)

    async def send_file(self, rows: list[Row], options: dict[str, Any]) -> None:
        parts = {
            "type": "things",
            "delimiter": ",",
            "overrideExisting": str(options["mode"] != "keep").lower(),
            "updateOnlyEmptyFields": str(options["mode"] == "fill").lower(),
            "onError": options["on_error"],
            "replace": str(options["replace"]).lower(),
            "mode": "delete" if options["mode"] == "remove" else "write",
            "dryRun": str(options["dry"]).lower(),
        } | {name: str(limit) for name, limit in options["brakes"].items()}
        file = HEADER + "".join(f"{row.key},{row.name},{row.size}\n" for row in rows)
        self.tell((file, options))
        key = {"Idempotency-Key": f"walk-{len(self.told)}"}
        files = {"file": ("things.csv", file.encode(), "text/csv")}
        answer = await self.service.send("POST", "/imports", data=parts, files=files, headers=key)
        assert answer.status_code == 201, answer.text
        if self.random.random() < 0.2:
            again = await self.service.send("POST", "/imports", data=parts, files=files, headers=key)
            assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
        self.accept(answer, rows, **options)

    def accept(self, answer: httpx.Response, rows: list[Row], **options: Any) -> Run:
        seq = next(self.model.seqs)
        run = Run(answer.json()["id"], seq, rows=rows, total=len(rows), sizes=self.model.sizes, **options)
        run.staged = run.dry or run.on_error == "rollback" or run.staged or run.mode == "remove"
        run.removed = 0 if run.mode == "remove" else None
        self.tell(f"-> {run.id}")
        return self.model.accept(run)

    async def work(self) -> None:
        run = self.pick(held=False)
        if run is not None:
            self.tell(run.id)
            await self.work_on(run)

    async def finish(self) -> None:
        run = self.pick(held=False)
        if run is not None:
            self.tell(run.id)
        while run is not None and not (run.done or run.held):
            await self.work_on(run)

    async def work_on(self, run: Run) -> None:
        self.model.work(run)
        await self.service.work(run.id, run.kind)

    async def resume(self) -> None:
        run = self.pick(held=True)
        if run is None:
            return
        shown = (await self.service.send("GET", f"/imports/{run.id}")).json()
        body = {"plan": shown["plan"]} if "plan" in shown and self.random.random() < 0.7 else None
        word = "commit" if run.dry and body else "resume"
        self.tell((run.id, word))
        for _ in range(self.random.choice([1, 1, 2])):
            answer = await self.service.send("POST", f"/imports/{run.id}/{word}", json=body)
            assert (answer.status_code, answer.json().get("status")) == (200, "queued"), answer.text
        self.model.resume(run)

    async def cancel(self) -> None:
        run = self.pick()
        if run is None:
            return
        undo = run.kind == "import" and self.random.random() < 0.4
        self.tell((run.id, undo))
        path = f"/imports/{run.id}" if run.kind == "import" else f"/runs/{run.id}"
        self.model.cancel(run)
        taken_back = undo and run.counts["created"] + run.counts["updated"] + (run.removed or 0) > 0
        fits = run.sizes <= self.model.sizes
        answer = await self.service.send("POST", f"{path}/cancel", params={"undo": "true"} if undo else None)
        if taken_back and not fits:
            assert (answer.status_code, answer.json()["code"]) == (409, "not_undoable"), answer.text
            return
        assert answer.status_code == 200, answer.text
        if taken_back:
            self.accept_undo(run, answer.json()["undoneBy"])

    def accept_undo(self, run: Run, undo_id: str) -> None:
        undo = Run(undo_id, next(self.model.seqs), kind="undo", parent=run.id, sizes=run.sizes)
        undo.total = self.model.count_noted(run)
        self.model.accept(undo)
        self.tell(f"-> {undo_id}")

    async def undo(self) -> None:
        run = self.pick(done=True) if self.random.random() < 0.9 else self.pick()
        if run is None:
            return
        self.tell(run.id)
        answer = await self.service.send("POST", f"/runs/{run.id}/undo")
        if not run.done:
            assert (answer.status_code, answer.json()["code"]) == (409, "import_not_ended"), answer.text
        elif run.undone_by is not None:
            assert (answer.status_code, answer.json()["id"]) == (201, run.undone_by), answer.text
        elif not (self.model.count_noted(run) and run.sizes <= self.model.sizes):
            assert answer.json()["code"] == "not_undoable", answer.text
        else:
            assert answer.status_code == 201, answer.text
            self.accept_undo(run, answer.json()["id"])

    async def retry(self) -> None:
        run = self.pick_import()
        if run is None:
            return
        self.tell(run.id)
        answer = await self.service.send("POST", f"/imports/{run.id}/retry")
        self.accept_again(run, answer, dict(enumerate(run.failed_rows)))

    def pick_import(self) -> Run | None:
        found = [run for run in self.model.runs.values() if run.kind == "import" and run.done]
        return self.random.choice(found) if found else None

    def accept_again(self, run: Run, answer: httpx.Response, rows: dict[int, Row]) -> None:
        """`rows` are those that are meant, by their places among the failed ones."""
        staged, free = run.staged or run.replace, [place for place in self.model.list_free(run) if place in rows]
        returned = run.is_retry and self.model.is_undone(run)
        if returned or not run.failed_rows or (staged and run.state != "finished"):
            assert answer.json()["code"] == "nothing_to_retry", answer.text
        elif not rows:
            assert answer.json()["code"] == "invalid", answer.text
        elif not free:
            assert answer.json()["code"] == "nothing_to_retry", answer.text
        else:
            assert answer.status_code == 201, answer.text
            options = {"mode": run.mode, "on_error": run.on_error, "brakes": run.brakes, "replace": False, "dry": False}
            rows_sent = [rows[place] for place in free]
            made = self.accept(answer, rows_sent, staged=False, is_retry=True, **options)
            run.again.append((made, free))

    async def correct(self) -> None:
        run = self.pick_import()
        if run is None:
            return
        value = self.random.choice(["bad", "bad", "xl"])
        self.tell((run.id, value))
        body = {"corrections": [{"column": "size", "from": value, "to": "s"}]}
        answer = await self.service.send("POST", f"/imports/{run.id}/corrections", json=body)
        bad = {place: row for place, row in enumerate(run.failed_rows) if row.size == value}
        rows = {place: Row(row.key, row.name, "s") for place, row in bad.items()}
        self.accept_again(run, answer, rows)

    async def put(self) -> None:
        row = Row(self.random.choice(KEYS), self.random.choice(["a", "b", "c"]), self.random.choice(["", "s"]))
        self.tell(row)
        self.model.put(row)
        await self.service.put(row.given)

    async def delete(self) -> None:
        key = self.random.choice(KEYS)
        self.tell(key)
        assert await self.service.delete(key) == self.model.delete(key)

    async def redeclare(self) -> None:
        sizes = self.random.choice([SIZES, [*SIZES, "xl"], [*SIZES, "xl"]])
        self.tell(sizes)
        answer = await self.service.declare(sizes)
        if not self.model.sizes <= frozenset(sizes) and not self.model.can_narrow():
            assert (answer.status_code, answer.json()["code"]) == (409, "type_in_use"), answer.text
            return
        assert answer.status_code == 200, answer.text
        self.model.sizes = frozenset(sizes)

    # What is compared

    async def compare(self) -> None:
        assert await self.service.read_records() == {key: each.data for key, each in self.model.records.items()}
        for run in self.model.runs.values():
            if run.id not in self.ended:
                await self.compare_run(run)

    async def compare_run(self, run: Run) -> None:
        shown = (await self.service.send("GET", f"/runs/{run.id}")).json()
        told = {name: shown[name] for name in run.counts}
        assert (shown["status"], told) == (run.state, run.counts), run
        assert (shown["total"], shown["remaining"], shown["done"]) == (run.total, run.remaining, run.done), run
        assert shown["total"] == sum(told.values()) + shown["remaining"]
        assert (shown.get("failure", {}).get("code"), shown.get("undoneBy")) == (run.code, run.undone_by), run
        assert shown.get("removed") == run.removed, run
        if run.held and (run.staged or run.replace):
            await self.compare_plan(run)
        if run.done:
            self.ended.add(run.id)
        if run.done and run.kind == "import":
            await self.compare_results(run)

    async def compare_plan(self, run: Run) -> None:
        answer = await self.service.send("GET", f"/imports/{run.id}/changes?limit=100")
        told = {(each["key"], each["outcome"]) for each in answer.json()["results"]}
        changed = "removed" if run.mode == "remove" else "updated"
        staged = {(key, "created" if each.base is None else changed) for key, each in run.overlay.items() if each.rows}
        removed = {(key, "removed") for key in (self.model.unnamed(run) if run.replace and run.removed else ())}
        assert told == staged | removed, run

    async def compare_results(self, run: Run) -> None:
        answer = await self.service.send("GET", f"/imports/{run.id}/results?format=jsonl")
        outcomes = [json.loads(line)["_outcome"] for line in answer.text.splitlines()]
        looked_at = run.at - sum(run.counts.values())
        expected = run.counts | {"remaining": looked_at}
        assert {name: outcomes.count(name) for name in expected} == expected, run
