"""By hand: python3 -m upstream anthropic --port 9001 --fault 429_bare (from the folder tests/)."""
import argparse
import time

from . import FAULTS, Brain, Upstream

parser = argparse.ArgumentParser(prog="upstream", description=__doc__)
parser.add_argument("dialect", choices=("anthropic", "openai"))
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--marker", default="upstream")
parser.add_argument("--steps", type=int, default=2)
parser.add_argument("--fault", choices=sorted(FAULTS))
args = parser.parse_args()
with Upstream(args.dialect, args.marker, port=args.port,
              brain=Brain(marker=args.marker, steps=args.steps),
              script=FAULTS.get(args.fault)) as up:
    print(up.url, flush=True)
    seen = 0
    while True:
        time.sleep(0.2)
        for r in up.records[seen:]:
            print(f"#{r.number} {r.method} {r.target} {r.model} -> {r.script}", *r.violations,
                  sep="\n    ", flush=True)
            seen += 1
