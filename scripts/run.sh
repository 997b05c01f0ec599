#!/usr/bin/env bash
# The main job on people nobody has met: a demo world is built in demo/ by the
# commands a user would type, each shown, and what to try next is said.
set -euo pipefail
cd "$(dirname "$0")/.."

exec bin/aidpass demo --dir demo --again
