#!/bin/bash
# SPDX-License-Identifier: MIT
# guest.sh SUITE [KERNEL [PROGRAM...]]: the test programs of one suite (or only
# these), in one guest of that kernel (stock-6.1-amd64, debug-6.12-amd64,
# faults-6.12-amd64, peers-6.12-amd64, arm64-6.12). Prints TAP.
#
#   plain       everything that needs no special guest
#   selftest    what the tool's selftest says of a machine; its many runs take
#               minutes where the kernel watches itself
#   user        memory of a process's own; some huge pages
#   dma-contig  a camera that takes one segment, which it reaches everywhere
#   nodes       every kind of node that there is, and drivers that go
#   display     vkms on bufalloc, beside the kernel's own
#   clients     programs of others on the same two
#   clients-edu the same programs on the sample display
#   swiotlb     a guest in which every DMA mapping bounces
#   iommu       two devices in domains of their own and one outside the IOMMU
#   virtio-iommu  the same, behind another IOMMU
#   arm64-smmu  the same on arm64, where the last one's domain is the identity,
#               and what needs no device
#   remap       how long mappings take, inside and outside the IOMMU, and user
#               space's
#   arm64-noncoherent  two devices that do not see the processor's caches, behind
#               an SMMUv3
#   noncoherent devices that do not see the processor's caches, and those caches:
#               a mock (modules/ba_mock.h)
#   armhf       32 bits, where the kernel's address space is short
#   direct      a disk that reads straight into buffers, behind an IOMMU; what
#               mappings cost by a clock that counts instructions
#   api         a driver that calls the in-kernel API
#   camera      two sample cameras behind an IOMMU, and devices that import from
#               them, the last one outside
#   display-edu  a sample display and a sample camera behind an IOMMU
#   camera-hd   pictures of 1920x1080 from a sample camera to four devices
#   arm64-camera  a sample camera that does not see the processor's caches
#   arm64-display  a sample display and a sample camera that do not see the
#               processor's caches, behind an SMMUv3
#   arm64-devicetree  cameras and displays that a devicetree names, on PCI and on
#               the platform bus, and none sees the processor's caches
#   vivid       vivid with buffers of bufalloc, beside the one that the kernel has
#   masks       devices that reach 28, 32 and 64 bits, memory above 4 GiB
#   reserved    memory that the kernel was told to leave alone
#   arm64-reserved  the same by a devicetree, and devices that do not see the
#               processor's caches
#   faults      on the kernel faults-6.12-amd64: every allocation and every copy
#               from and to user space fails, one after the other
#   kill        processes that are killed in the middle of things
#   limits      what one process or user may take, with a region that was set
#               aside, and CMA where the kernel has it
#   limits-kill a request for 20 GiB; the guest's memory is the host's only when
#               it is used
#   frag        fragmented memory, with a CMA region where the kernel can
#
# For tests/controls: MODULE_DIR has other modules than the ones that are built
# here, BUFALLOC_TOOL is another command, GUEST_LOG is where the guest's console
# goes, GUEST_OPTIONS are for run. For tests/coverage: COVERAGE_DIR is the folder
# that the guest puts into what of the modules each program ran, COVERAGE_KO a module
# that those need.
#
# shellcheck disable=SC2054 # the commas are QEMU's
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
suite=${1-}
kernel=${2-stock-6.1-amd64}
mem=4096
append=''
bufalloc_parameters=''
options=()
environment=()
instrument=()

# The device edu takes 100 ms for each transfer. With this clock a guest that
# sleeps is not waited for.
virtual_clock=(--cpus 1 --accel tcg,thread=single
	--qemu "-icount shift=0,sleep=off")

# For IOMMUs. The second one's addresses are 28 bits wide: the IOMMU's, not
# memory's. It and the third have limits to a segment, the fourth a domain of its
# own.
five="ba_edu dma_bits=64,28 segment_mib=0,4,0 boundary_bits=0,0,21"
five+=" own_domain=0,0,0,1"
four_inside=(--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
	--device edu,bus=pcie.0
	--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
	--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff)
one_outside=(--device pxb-pcie,bus_nr=0x20,id=pxb,bus=pcie.0,bypass_iommu=true
	--device pcie-root-port,id=port1,bus=pxb,chassis=1,slot=1
	--device edu,bus=port1,dma_mask=0xffffffffffffffff)

case $suite in
plain)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms vivid ba_views)
	# Debian's has no device that converts pictures, but the kernel's own test
	# of the firmware loader.
	if [ "$kernel" = stock-6.1-amd64 ]; then
		modules+=(test_firmware)
	else
		modules+=(vim2m)
	fi
	programs=(abi abi_matrix)
	# Others run no 32-bit programs.
	[[ $kernel != stock-6.1-amd64 ]] || programs+=(abi_matrix_32)
	programs+=(ranges alloc zero contig mmap attributes views copy firmware
		devices import_drm import_v4l2 fences lifetime)
	;;
selftest)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms vivid vim2m)
	programs=(selftest)
	;;
user)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms vivid)
	[ "$kernel" = stock-6.1-amd64 ] || modules+=(vim2m)
	# Secret memory is off by default, huge pages are none.
	append="secretmem.enable=1 hugepages=16"
	programs=(user_kinds user_refused user_life user_limit user_read_only
		user_dmabuf user_v4l2)
	;;
dma-contig)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms "vivid allocators=1")
	mem=2048
	programs=(devices import_v4l2 selftest)
	;;
nodes)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms "vivid allocators=1" ba_v4l2
		ba_drm)
	# The distribution's kernel has a driver for a display of QEMU's that
	# ours do not have, and ours have more drivers to test with.
	case $kernel in
	stock-*) modules+=(cirrus) options=(--device cirrus-vga) ;;
	*) modules+=(vim2m vimc) ;;
	esac
	programs=(nodes vivid_unbind drm_unbind)
	;;
display)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms vivid ba_vkms ba_gem)
	programs=(gem gem_map gem_prime)
	;;
clients)
	modules=(bufalloc-drm vkms ba_vkms vivid)
	mem=2048
	# The console would be on the one and not on the other.
	append=drm_kms_helper.fbdev_emulation=0
	# Looking through all plugins takes a minute in a guest.
	mkdir -p build/check
	environment=(GST_REGISTRY="$PWD/build/check/registry.bin"
		WESTON_ROOT="$(tests/vm/root trixie-amd64)"
		DRM_CLIENTS_ROW="${DRM_CLIENTS_ROW-}")
	env "${environment[@]}" gst-inspect-1.0 kmssink >/dev/null || exit 1
	programs=(drm_clients)
	;;
swiotlb)
	modules=(ba_importer ba_edu vgem)
	append=swiotlb=force
	options=("${virtual_clock[@]}" --device edu,dma_mask=0xffffffffffffffff)
	programs=(sync sync_range fences_order copy_device edu_bounce edu_heaps
		selftest)
	;;
iommu)
	modules=("$five" ba_importer)
	append="intel_iommu=on iommu.strict=1"
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		"${four_inside[@]}" "${one_outside[@]}")
	programs=(edu_iommu edu_pages edu_heaps edu_user edu_unbind sync_skip)
	;;
remap)
	# No virtual clock: it measures time.
	modules=(ba_edu)
	append="intel_iommu=on iommu.strict=1"
	options=(--device intel-iommu,intremap=off
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		"${one_outside[@]}")
	programs=(remap map_large)
	;;
armhf)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vivid ba_kva)
	mem=2048
	append=cma=192M
	programs=(abi ranges alloc zero contig mmap attributes devices
		import_v4l2 fences kva lifetime)
	;;
direct)
	modules=(ba_edu)
	[[ $kernel != stock-* ]] || modules+=(nvme)
	append="intel_iommu=on iommu.strict=1"
	# As long as a frame of 1080p in whole pages, and the same each time.
	mkdir -p build/check
	seq 1000000 | head -c 3133440 >build/check/disk
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		--qemu "-drive if=none,id=disk,format=raw,readonly=on,file=$PWD/build/check/disk"
		--device nvme,drive=disk,serial=bufalloc)
	environment=(DIRECT_DISK=/dev/nvme0n1 CLOCK_COUNTS_INSTRUCTIONS=1)
	programs=(direct map_large)
	;;
api)
	modules=(ba_api)
	append="intel_iommu=on iommu.strict=1"
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff)
	programs=(api)
	;;
camera)
	# The first two devices are the cameras'; see in-guest.sh.
	modules=(bufalloc-v4l2 ba_edu bufalloc-camera)
	append="intel_iommu=on iommu.strict=1"
	mem=2048
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0 --device edu,bus=pcie.0
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		"${one_outside[@]}")
	environment=(CAMERAS="0 1"
		V4L2_COMPLIANCE="$(tests/vm/compliance)/bin/v4l2-compliance")
	programs=(camera camera_peers camera_unbind camera_states
		camera_compliance)
	;;
clients-edu)
	modules=(bufalloc-v4l2 bufalloc-drm ba_edu bufalloc-display)
	append="intel_iommu=on iommu.strict=1"
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0)
	mem=2048
	mkdir -p build/check
	environment=(DISPLAYS=0 PANEL=bufalloc-display
		GST_REGISTRY="$PWD/build/check/registry.bin"
		WESTON_ROOT="$(tests/vm/root trixie-amd64)")
	env "${environment[@]}" gst-inspect-1.0 kmssink >/dev/null || exit 1
	programs=(drm_clients)
	;;
display-edu)
	# The first device is the display's, the second a camera's.
	modules=(bufalloc-v4l2 bufalloc-drm vgem ba_edu bufalloc-camera
		bufalloc-display)
	append="intel_iommu=on iommu.strict=1"
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0 --device edu,bus=pcie.0
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff)
	mem=2048
	environment=(DISPLAYS=0 CAMERAS=1)
	programs=(panel panel_modes panel_unbind)
	;;
camera-hd)
	# The first device is the camera's, four others read its pictures; the
	# second has 28 address lines.
	modules=(bufalloc-v4l2 "ba_edu dma_bits=64,28" bufalloc-camera)
	append="intel_iommu=on iommu.strict=1"
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		"${four_inside[@]}" "${one_outside[@]}")
	environment=(CAMERAS=0)
	programs=(camera_hd)
	;;
arm64-camera)
	modules=(bufalloc-v4l2 bufalloc-camera)
	append="iommu.strict=1"
	options=("${virtual_clock[@]}" --devicetree tests/vm/noncoherent
		--qemu "-machine iommu=smmuv3" --device edu --device edu)
	programs=(camera camera_sync)
	;;
arm64-display)
	# The devices are as in display-edu.
	modules=(bufalloc-v4l2 bufalloc-drm vgem ba_edu bufalloc-camera
		bufalloc-display)
	append="iommu.strict=1"
	options=("${virtual_clock[@]}" --devicetree tests/vm/noncoherent
		--qemu "-machine iommu=smmuv3" --device edu --device edu
		--device edu,dma_mask=0xffffffffffffffff)
	environment=(DISPLAYS=0 CAMERAS=1)
	programs=(panel panel_modes panel_unbind)
	;;
arm64-devicetree)
	# In which slots they are says devicetree.dtso. The first is the display,
	# which the IOMMU translates nothing for.
	modules=(bufalloc-v4l2 bufalloc-drm ba_edu bufalloc-camera ba_gem ba_camera)
	append="iommu.strict=1"
	mem=2048
	options=("${virtual_clock[@]}" --devicetree tests/vm/devicetree
		--qemu "-machine iommu=smmuv3"
		--device edu,addr=8,dma_mask=0xffffffffffffffff
		--device edu,addr=9 --device edu,addr=a)
	environment=(EDU_IDENTITY=0 CAMERAS="1 2")
	programs=(peers_devicetree)
	;;
vivid)
	modules=(bufalloc-v4l2)
	environment=(V4L2_COMPLIANCE="$(tests/vm/compliance)/bin/v4l2-compliance")
	programs=(vivid_memops)
	;;
virtio-iommu)
	modules=("$five")
	append="iommu.strict=1"
	options=("${virtual_clock[@]}" --device virtio-iommu-pci
		"${four_inside[@]}" "${one_outside[@]}")
	programs=(edu_iommu edu_pages edu_user edu_unbind)
	;;
arm64-smmu)
	# QEMU's devicetree has no device outside the SMMU.
	modules=("$five" ba_kva ba_views)
	append="iommu.strict=1"
	options=("${virtual_clock[@]}" --qemu "-machine iommu=smmuv3"
		"${four_inside[@]}" --device edu,dma_mask=0xffffffffffffffff)
	environment=(EDU_IDENTITY=4)
	programs=(abi alloc zero contig mmap attributes views edu_iommu
		edu_pages edu_heaps edu_user kva edu_unbind)
	;;
noncoherent)
	modules=(ba_mock)
	mem=2048
	programs=(noncoherent noncoherent_order)
	;;
arm64-noncoherent)
	modules=(ba_edu ba_importer ba_mock ba_views)
	append="iommu.strict=1"
	options=("${virtual_clock[@]}" --devicetree tests/vm/noncoherent
		--qemu "-machine iommu=smmuv3"
		--device edu,dma_mask=0xffffffffffffffff
		--device edu,dma_mask=0xffffffffffffffff)
	programs=(views edu_heaps edu_unbind sync_skip noncoherent
		noncoherent_order)
	;;
masks)
	# The last two have limits to a segment.
	modules=("ba_edu dma_bits=28,32 coherent_bits=28,28 \
		segment_mib=0,0,0,4,64 boundary_bits=0,0,0,0,21")
	mem=6144
	options=("${virtual_clock[@]}" --device edu
		--device edu,dma_mask=0xffffffff
		--device edu,dma_mask=0xffffffffffffffff
		--device edu,dma_mask=0xffffffffffffffff
		--device edu,dma_mask=0xffffffffffffffff)
	programs=(edu_masks edu_user_masks edu_unbind)
	;;
reserved)
	# The second region is a whole section of memory (128 MiB) and has no
	# struct pages; the others are inside of sections.
	bufalloc_parameters="reserved=32M@0x52000000,128M@0x48000000,16M@0x0a000000"
	# ba_api takes the first two devices.
	modules=(bufalloc-v4l2 vivid ba_api "ba_edu dma_bits=64,64,28,24")
	[[ $kernel == debug-* || $kernel == faults-* ]] || modules+=(ba_alias)
	# shellcheck disable=SC2016 # the $ is the kernel's
	append='intel_iommu=on iommu.strict=1 memmap=32M$0x52000000'
	# shellcheck disable=SC2016
	append+=' memmap=128M$0x48000000 memmap=16M$0x0a000000'
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		"${one_outside[@]}"
		--device pcie-root-port,id=port2,bus=pxb,chassis=2,slot=2
		--device edu,bus=port2
		--device pcie-root-port,id=port3,bus=pxb,chassis=3,slot=3
		--device edu,bus=port3)
	mem=2048
	environment=(EDU_HEAPS_FIGURE=1)
	programs=(reserved pat api_reserved edu_heaps zero reserved_parameters)
	;;
arm64-reserved)
	# Which memory that is: reserved.dtso.
	modules=(bufalloc-v4l2 vivid "ba_edu dma_bits=64,64,32" ba_alias
		ba_own)
	append='mem=4992M'
	options=("${virtual_clock[@]}" --devicetree tests/vm/reserved
		--device edu,dma_mask=0xffffffffffffffff
		--device edu,dma_mask=0xffffffffffffffff
		--device edu,dma_mask=0xffffffff)
	mem=5120
	programs=(reserved devicetree own_memory devicetree_module)
	;;
faults)
	# The first device is the camera's; see in-guest.sh.
	modules=(bufalloc-v4l2 bufalloc-drm vgem vivid ba_importer ba_edu
		bufalloc-camera ba_vkms ba_faults)
	append="intel_iommu=on iommu.strict=1 page_owner=on"
	options=("${virtual_clock[@]}" --device intel-iommu,intremap=off
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
		--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff)
	environment=(CAMERAS="0" KTEST_ROW="${KTEST_ROW-}")
	programs=(faults faults_v4l2 faults_drm faults_load)
	;;
kill)
	# The second camera's own buffers are bufalloc's. No console holds one.
	append=drm_kms_helper.fbdev_emulation=0
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms ba_vkms
		"vivid_ours n_devs=2 allocators=0,1")
	environment=(KILL_TIMES="${KILL_TIMES-}" KTEST_ROW="${KTEST_ROW-}")
	programs=(kill)
	;;
limits)
	bufalloc_parameters="reserved=32M@0x52000000"
	modules=(bufalloc-v4l2 bufalloc-drm vgem "vivid allocators=1")
	# shellcheck disable=SC2016 # the $ is the kernel's
	append='memmap=32M$0x52000000 cma=256M@0-1G'
	programs=(limits limits_files)
	[[ $kernel == stock-* ]] || programs=(limits_cma)
	environment=(LIMITS_COUNT="${LIMITS_COUNT-}")
	;;
limits-kill)
	modules=()
	mem=21504
	programs=(limits_kill)
	;;
frag)
	modules=(ba_edu)
	mem=2048
	append=cma=256M@0-4G
	options=(--timeout 2400 --device edu,dma_mask=0xffffffffffffffff)
	# Larger than the guest's memory, for its page cache. It takes no space.
	mkdir -p build/check
	truncate -s 4G build/check/zeros
	environment=(FRAGMENT_FILE="$PWD/build/check/zeros"
		FRAGMENT_LEVEL="${FRAGMENT_LEVEL-}")
	programs=(frag)
	;;
*)
	echo "usage: guest.sh SUITE [KERNEL [PROGRAM...]]; see its first lines" >&2
	exit 2
	;;
esac

[ $# -lt 3 ] || programs=("${@:3}")

. tests/kernel/kernels.sh
for_kernel "$kernel" || exit 2
targets=(ktests test-modules)
case " ${programs[*]} " in
*" selftest "*) targets=(lib tool "${targets[@]}") ;;
*" edu_pipeline "*)
	targets=(plugin "${targets[@]}")
	# The camera says CRCs by dev_dbg(), and only the distribution's kernel
	# can be asked for that while it runs.
	[[ $kernel = stock-* ]] || instrument=(INSTRUMENT=said)
	environment+=(LD_LIBRARY_PATH="$PWD/build/libbufalloc"
		GST_PLUGIN_PATH="$PWD/build/gst-plugin"
		GST_REGISTRY="$PWD/build/check/registry.bin")
	;;
esac
make "${targets[@]}" KDIR="$kdir" "${cross[@]}" "${instrument[@]}" >&2 || exit 1
# Looking through all plugins takes seconds in a guest.
case " ${programs[*]} " in
*" edu_pipeline "*) env "${environment[@]}" gst-inspect-1.0 bufalloc >&2 || exit 1 ;;
esac
kmod=$PWD/$(make -s print-kmod KDIR="$kdir" "${cross[@]}" "${instrument[@]}")
modules_dir=${MODULE_DIR:-$kmod/kernel}
vivid_ko=''
case " ${modules[*]} " in
*" vivid_ours "*) vivid_ko=$(tests/kernel/vivid.sh "$kdir" "$kmod") || exit 1 ;;
esac
if [ "$suite" = vivid ]; then
	environment+=(VIVID_KO="$(tests/kernel/vivid.sh "$kdir" "$kmod")") &&
		environment+=(VIVID_SG_KO="$(tests/kernel/vivid.sh "$kdir" "$kmod" sg)") ||
		exit 1
fi
case " ${modules[*]} " in
*" ba_vkms "*)
	tests/kernel/drivers/build vkms "$kdir" "$kmod" || exit 1
	environment+=(BA_VKMS_KO="$kmod/test-modules/ba_vkms.ko")
	;;
esac
arguments=()
[ -z "${COVERAGE_KO-}" ] || arguments=(--module "$COVERAGE_KO")
for module in "bufalloc $bufalloc_parameters" "${modules[@]}"; do
	read -r name parameters <<<"$module"
	case $name in
	bufalloc-camera | bufalloc-display)
		module="$modules_dir/samples/$name.ko $parameters"
		;;
	bufalloc*) module="$modules_dir/$name.ko $parameters" ;;
	vivid_ours) module="$vivid_ko $parameters" ;;
	ba_*) module="$kmod/test-modules/$name.ko $parameters" ;;
	esac
	arguments+=(--module "$module")
done
logs=${BUFALLOC_LOG_DIR:-build/check/log}
mkdir -p "$logs"
# Words: they have no spaces.
read -r -a more <<<"${GUEST_OPTIONS-}"
# Watching itself takes the debug kernel five times as long.
limit=600
[[ $kernel != debug-* ]] || limit=1800
[[ $kernel != faults-* ]] || limit=3600
[ -z "${COVERAGE_DIR-}" ] || more+=(--out "$COVERAGE_DIR")
exec tests/vm/run --kernel "$kernel" --mem "$mem" --timeout "$limit" \
	--append "$append" "${options[@]}" "${arguments[@]}" \
	--log "${GUEST_LOG:-$logs/kernel-$suite-$kernel.guest.log}" \
	"${more[@]}" -- env BUFALLOC_KO="$modules_dir/bufalloc.ko" \
	CAMERA_KO="$modules_dir/samples/bufalloc-camera.ko" \
	DISPLAY_KO="$modules_dir/samples/bufalloc-display.ko" \
	BUFALLOC_TOOL="${BUFALLOC_TOOL:-$build/tools/bufalloc}" \
	COVERAGE_DIR="${COVERAGE_DIR-}" "${environment[@]}" \
	tests/kernel/in-guest.sh "$build" "${programs[@]}"
