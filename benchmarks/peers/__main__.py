"""Measures Sluice beside other programs, in one run: `python -m benchmarks.peers [--rows N] [--rounds N]`."""

import argparse
import gc
from pathlib import Path

from benchmarks.machine import load_now, machine
from benchmarks.peers.installing import Gap, install
from benchmarks.peers.measuring import Ours, Peer, Taken, measure
from benchmarks.peers.page import page, picture
from benchmarks.peers.programs import PROGRAMS
from benchmarks.service import started, work_folder

PAGE = Path(__file__).parents[1] / "peers.md"


def main() -> None:
    gc.enable()  # `app` has disabled it for its imports
    wanted = options()
    ready, gaps = [], []
    for program in PROGRAMS:
        if program.name.split()[0] not in wanted.only:
            continue
        try:
            ready.append(install(program))
        except Gap as gap:
            gaps.append(Taken(program.name, "", gap=str(gap)))
            print(f"{program.name}: {gap}")
    load = load_now()
    with work_folder() as work, started(work) as service:
        about = machine(service.instance, load)
        peers = [Ours(service), *(Peer(each, service.instance.database_url, work) for each in ready)]
        for told in measure(peers, service, work, wanted.rows, wanted.rounds):
            print(told, flush=True)
    taken = [*(each.taken for each in peers), *gaps]
    written = page(about, taken, wanted.rows, wanted.rounds, load_now())
    if not wanted.write:
        print(written)
        return
    PAGE.write_text(written, encoding="utf-8")
    PAGE.with_suffix(".svg").write_text(picture(taken), encoding="utf-8")
    print(f"Written to {PAGE.parent.name}/{PAGE.name}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the file (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: 5)")
    names = [program.name.split()[0] for program in PROGRAMS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=" ".join(names))
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave peers.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
