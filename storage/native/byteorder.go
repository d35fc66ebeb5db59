//go:build !(386 || amd64 || arm || arm64 || loong64 || mipsle || mips64le || ppc64le || riscv64 || wasm)

package native

// The Native format is little-endian, and Encoder sends the memory of a batch as it
// is. A machine of the other order would need a copy with the bytes turned around:
// until somebody has one, the package does not compile there. ClickHouse's engine
// library has no build for one either.
const _ = thisPackageNeedsALittleEndianMachine
