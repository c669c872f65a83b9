#!/usr/bin/env bash
# Tries the broker with the MQTT clients that Debian ships. Installs by name whatever is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(
  mosquitto mosquitto-clients python3-paho-mqtt libpaho-mqtt-dev gcc libc6-dev
  # firmware on emulated microcontrollers
  gcc-avr avr-libc libsimavr-dev libelf-dev gcc-arm-none-eabi qemu-system-arm
  # certificates from a public authority; being found in the local network
  pebble python3-zeroconf
  # secure listeners, proxies, systemd's sockets and messages
  openssl haproxy systemd
  # links that lose packets
  iproute2 socat
  # editors: YAML judged by a JSON Schema
  python3-yaml python3-jsonschema
  # web pages
  chromium
  # whose decisions about its files with rules must be ours
  mosquitto
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
    missing+=("$package")
done
if ((${#missing[@]} > 0)); then
  sudo=()
  ((EUID == 0)) || sudo=(sudo)
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

exec npx vitest run --config vitest.debian.config.ts "$@"
