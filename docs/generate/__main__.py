"""`python -m docs.generate`: builds the site into `site/`; with `--pages` only gathers the pages that it is made of."""

import sys

from docs.generate.site import SITE, build, gather

if sys.argv[1:] == ["--pages"]:
    gather()
    sys.exit()
faults = build()
for fault in faults:
    print(fault, file=sys.stderr)
if faults:
    sys.exit(1)
print(f"Built {len(list(SITE.rglob('*.html')))} pages: open site/index.html")
