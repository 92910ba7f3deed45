#!/usr/bin/env bash
# Measures `webgpu` on a machine with a GPU that has neither Node nor this project: `bench/gpu.sh pack FILE` writes one archive (tar, xz) of
# Node, Dawn and the bench; there, unpacked, `bench/gpu.sh run [options of bench/gpu.ts]` needs a Vulkan driver, and Python with torch and jax.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pack() {
  local file
  file="$(realpath -m "$1")"
  work="$(mktemp -d)"
  trap "rm -rf '$work'" EXIT
  local to="$work/immersion-gpu"
  mkdir -p "$to/bench" "$to/node_modules/webgpu"
  node_modules/.bin/esbuild bench/gpu.ts bench/peers/ours.ts bench/peers/table.ts cli/main.ts \
    --bundle --platform=node --format=esm --target=node20 --conditions=immersion-source --splitting \
    --outdir="$to/bench" --entry-names='[name]' --chunk-names='chunk-[hash]' --out-extension:.js=.mjs --log-level=warning \
    --external:webgpu --external:sharp --external:@tensorflow/tfjs-node-gpu --external:onnxruntime-node --external:@tensorflow/tfjs-node \
    --external:typescript --external:tsx --external:koffi --external:fast-check \
    --banner:js="import { createRequire as ofModule } from 'node:module'; import { fileURLToPath as pathOfModule } from 'node:url'; import { dirname as folderOfModule } from 'node:path'; const require = ofModule(import.meta.url); const __filename = pathOfModule(import.meta.url); const __dirname = folderOfModule(__filename);"
  cp bench/gpu.sh bench/peers/{common,jax_jit,pytorch,rectangular}.py "$to/bench/"
  cp -L node_modules/webgpu/{package.json,index.js} "$to/node_modules/webgpu/"
  mkdir -p "$to/node_modules/webgpu/dist"
  cp -rL node_modules/webgpu/dist/linux-x64 "$to/node_modules/webgpu/dist/"
  # Vulkan's loader, where the machine has none.
  mkdir "$to/lib"
  cp -L "$(find /usr/lib /lib -name libvulkan.so.1 2>/dev/null | head -n 1)" "$to/lib/" 2>/dev/null || echo 'gpu: without libvulkan.so.1' >&2
  cp "$(node -p process.execPath)" "$to/node"
  strip "$to/node" "$to"/node_modules/webgpu/dist/linux-x64/*.node 2>/dev/null || true
  tar -C "$work" -c immersion-gpu | xz -T0 "-${IMMERSION_XZ:-3}" >"$file"
  ls -l "$file" >&2
}

# Drivers to try in turn: what is named, NVIDIA's where containers have it, and its library for machines without X11.
drivers() {
  [ -n "${VK_ICD_FILENAMES:-}" ] && echo "$VK_ICD_FILENAMES"
  find /usr/local/nvidia /etc/vulkan /usr/share/vulkan -name 'nvidia*icd*.json' 2>/dev/null || true
  local library
  for library in libEGL_nvidia.so.0 libGLX_nvidia.so.0; do
    echo "{\"file_format_version\":\"1.0.0\",\"ICD\":{\"library_path\":\"$library\",\"api_version\":\"1.3.0\"}}" >"$PWD/$library.json"
    echo "$PWD/$library.json"
  done
}

run() {
  export NODE_NO_WARNINGS=1 LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$PWD/lib:/usr/local/nvidia/lib64:/usr/local/nvidia/lib"
  local driver found=''
  while read -r driver; do
    if VK_ICD_FILENAMES="$driver" timeout 40 ./node bench/gpu.mjs --probe; then
      export VK_ICD_FILENAMES="$driver"
      found=1
      break
    fi
  done < <(drivers)
  [ -n "$found" ] || echo 'gpu: no adapter by any driver; the others are measured alone' >&2
  exec ./node bench/gpu.mjs "$@"
}

case "${1:-}" in
  pack) shift; pack "${1:?bench/gpu.sh pack FILE}" ;;
  run) shift; run "$@" ;;
  doctor) shift; exec ./node bench/main.mjs doctor "$@" ;;
  *) echo 'bench/gpu.sh pack FILE, or where that is unpacked: bench/gpu.sh run [--quick]' >&2; exit 1 ;;
esac
