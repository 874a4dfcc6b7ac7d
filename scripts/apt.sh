#!/bin/sh
# Install Debian package $1 where that takes no question (as root, or with a sudo that asks for no password).
if ! command -v apt-get >/dev/null; then echo "note: no apt-get here to install $1 with"; exit 1; fi
if [ "$(id -u)" = 0 ]; then as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo -n"
else echo "note: no right to install $1: sudo apt-get install $1"; exit 1
fi
{ $as_root apt-get install -y -qq "$1" || { $as_root apt-get update -qq && $as_root apt-get install -y -qq "$1"; }; } >/dev/null 2>&1 \
  || { echo "note: $1 could not be installed"; exit 1; }
