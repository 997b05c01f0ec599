#!/usr/bin/env bash
# The main job on people nobody has met: a demo world is built in demo/ by the
# commands a user would type, each shown, and then served to phones and to this
# laptop's browser until Ctrl-C. No browser is needed for any of it to be printed.
set -euo pipefail
cd "$(dirname "$0")/.."

exec bin/aidpass demo --dir demo --again
