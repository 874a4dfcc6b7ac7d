#!/bin/sh
# The rubberband program is one of two pitch engines, and optional: install it where that takes no question.
command -v rubberband >/dev/null && exit 0
command -v apt-get >/dev/null || { echo "note: no rubberband program; curate doctor says what it is for"; exit 0; }
if [ "$(id -u)" = 0 ]; then root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then root="sudo -n"
else echo "note: no rubberband program, and no right to install it; curate doctor says what it is for"; exit 0
fi
{ $root apt-get install -y -qq rubberband-cli || { $root apt-get update -qq && $root apt-get install -y -qq rubberband-cli; }; } >/dev/null 2>&1 \
  || echo "note: the rubberband program could not be installed; curate doctor says what it is for"
exit 0
