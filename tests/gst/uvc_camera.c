// SPDX-License-Identifier: MIT
/*
 * uvc_camera: a USB camera for the driver uvcvideo, over USB/IP.
 *
 * The kernel's UVC gadget knows isochronous endpoints only and dummy_hcd knows none
 * (drivers/usb/gadget/udc/dummy_hcd.c says so in its first lines), so those two make
 * no stream. The driver vhci-hcd takes a device from a socket: the other end of it
 * is here, and answers what the protocol of Documentation/usb/usbip_protocol.rst
 * asks. The camera has one format, BGRX of 640x480 at 25 frames a second, on a bulk
 * endpoint. All bytes of a picture are its number.
 *
 * It prints "attached" and goes on until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/usb/ch9.h>
#include <linux/usb/video.h>

#define WIDTH 640
#define HEIGHT 480
#define FRAME (WIDTH * HEIGHT * 4)
#define INTERVAL_NS 40000000ll
#define PAYLOAD 16384 /* of one answer to the driver, with its header */
#define HEADER 2
#define MAX_PENDING 32

#define U16(v) (uint8_t)(v), (uint8_t)((v) >> 8)
#define U32(v) U16(v), U16((v) >> 16)

enum {
	SUBMIT = 1,
	UNLINK,
	SUBMITTED,
	UNLINKED
};

/* usbip_header: 48 bytes, all big-endian but the setup packet. */
struct packet {
	uint32_t command, seqnum, devid, direction, ep;
	union {
		struct {
			uint32_t flags, length, start, packets, interval;
			struct usb_ctrlrequest setup;
		} submit;
		struct {
			uint32_t status, length, start, packets, errors, rest[2];
		} submitted;
		struct {
			uint32_t seqnum, rest[6];
		} unlink;
	};
};
_Static_assert(sizeof(struct packet) == 48, "that of the protocol");

/* clang-format off: one descriptor a line */
static const uint8_t device[] = {
	18, USB_DT_DEVICE, U16(0x200),
	USB_CLASS_MISC, 2, 1, 64, /* it has interface associations */
	U16(0x1d6b), U16(0x0102), U16(0x100), 0, 0, 0, 1,
};

static const uint8_t config[] = {
#define CONTROL_LENGTH (13 + 17 + 9)
#define STREAM_LENGTH (14 + 27 + 30)
	9, USB_DT_CONFIG, U16(9 + 8 + 9 + CONTROL_LENGTH + 9 + STREAM_LENGTH + 7),
	2, 1, 0, USB_CONFIG_ATT_ONE, 50,
	8, USB_DT_INTERFACE_ASSOCIATION, 0, 2, USB_CLASS_VIDEO, 3, 0, 0,
	/* Control: a camera whose picture goes to USB. */
	9, USB_DT_INTERFACE, 0, 0, 0, USB_CLASS_VIDEO, UVC_SC_VIDEOCONTROL, 0, 0,
	13, USB_DT_CS_INTERFACE, UVC_VC_HEADER, U16(0x100), U16(CONTROL_LENGTH),
	U32(48000000), 1, 1,
	17, USB_DT_CS_INTERFACE, UVC_VC_INPUT_TERMINAL, 1, U16(UVC_ITT_CAMERA), 0, 0,
	U16(0), U16(0), U16(0), 2, U16(0),
	9, USB_DT_CS_INTERFACE, UVC_VC_OUTPUT_TERMINAL, 2, U16(UVC_TT_STREAMING), 0,
	1, 0,
	/* Streaming: one format, one size, one rate. */
	9, USB_DT_INTERFACE, 1, 0, 1, USB_CLASS_VIDEO, UVC_SC_VIDEOSTREAMING, 0, 0,
	14, USB_DT_CS_INTERFACE, UVC_VS_INPUT_HEADER, 1, U16(STREAM_LENGTH),
	USB_DIR_IN | 1, 0, 2, 0, 0, 0, 1, 0,
	27, USB_DT_CS_INTERFACE, UVC_VS_FORMAT_UNCOMPRESSED, 1, 1,
	0x7e, 0xeb, 0x36, 0xe4, 0x4f, 0x52, 0xce, 0x11, /* BGRA/X 8:8:8:8 */
	0x9f, 0x53, 0x00, 0x20, 0xaf, 0x0b, 0xa7, 0x70, 32, 1, 0, 0, 0, 0,
	30, USB_DT_CS_INTERFACE, UVC_VS_FRAME_UNCOMPRESSED, 1, 0, U16(WIDTH),
	U16(HEIGHT), U32(FRAME * 25 * 8), U32(FRAME * 25 * 8), U32(FRAME),
	U32(INTERVAL_NS / 100), 1, U32(INTERVAL_NS / 100),
	7, USB_DT_ENDPOINT, USB_DIR_IN | 1, USB_ENDPOINT_XFER_BULK, U16(512), 0,
};
/* clang-format on */

/* The answer to every GET of the probe and commit controls. */
static const uint8_t stream_control[26] = {
	U16(1),
	1,
	1,
	U32(INTERVAL_NS / 100),
	U16(0),
	U16(0),
	U16(0),
	U16(0),
	U16(0),
	U32(FRAME),
	U32(PAYLOAD),
};

static int sock;
static uint32_t pending[MAX_PENDING]; /* what the driver wants of the stream */
static unsigned int pendings;
static uint8_t number; /* of the picture */
static uint32_t sent; /* bytes of it */
static int64_t due; /* when it may begin */

static void
die(const char *what)
{
	fprintf(stderr, "uvc_camera: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void
receive(void *to, size_t length)
{
	ssize_t got = length == 0 ? 0 : recv(sock, to, length, MSG_WAITALL);

	if (got != (ssize_t)length) {
		die("the socket");
	}
}

/* The length is also that of what was taken, when there is no data to give. */
static void
answer(uint32_t seqnum, int status, const void *data, uint32_t length)
{
	struct packet packet = {
		.command = htonl(SUBMITTED),
		.seqnum = seqnum,
		.submitted.status = htonl(status),
		.submitted.length = htonl(length),
	};

	if (send(sock, &packet, sizeof(packet), MSG_NOSIGNAL) < 0 ||
	    send(sock, data, data == NULL ? 0 : length, MSG_NOSIGNAL) < 0) {
		die("the socket");
	}
}

/* One payload: a header and a part of the picture. */
static void
stream(uint32_t seqnum)
{
	static uint8_t payload[PAYLOAD];
	uint32_t part = PAYLOAD - HEADER;
	bool last = FRAME - sent <= part;

	if (last) {
		part = FRAME - sent;
	}
	payload[0] = HEADER;
	payload[1] = UVC_STREAM_EOH | (number & 1 ? UVC_STREAM_FID : 0) |
		     (last ? UVC_STREAM_EOF : 0);
	memset(payload + HEADER, number, part);
	answer(seqnum, 0, payload, HEADER + part);
	sent += part;
	if (last) {
		sent = 0;
		number++;
		due = now() + INTERVAL_NS;
	}
}

static void
control(const struct packet *packet)
{
	const struct usb_ctrlrequest *setup = &packet->submit.setup;
	uint16_t value = setup->wValue; /* little-endian, as we are */
	uint32_t length = ntohl(packet->submit.length), size = 0;
	const uint8_t *data = NULL;
	static const uint8_t info = UVC_CONTROL_CAP_GET | UVC_CONTROL_CAP_SET;
	static const uint8_t size_of_control[] = { U16(sizeof(stream_control)) };
	static const uint8_t nothing[2];
	int status = 0;

	switch (setup->bRequestType << 8 | setup->bRequest) {
	case USB_DIR_IN << 8 | USB_REQ_GET_DESCRIPTOR:
		if (value >> 8 == USB_DT_DEVICE) {
			data = device, size = sizeof(device);
		} else if (value >> 8 == USB_DT_CONFIG) {
			data = config, size = sizeof(config);
		} else {
			status = -EPIPE;
		}
		break;
	case (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | UVC_GET_INFO:
		data = &info, size = sizeof(info);
		break;
	case (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | UVC_GET_LEN:
		data = size_of_control, size = sizeof(size_of_control);
		break;
	case (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | UVC_GET_CUR:
	case (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | UVC_GET_MIN:
	case (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | UVC_GET_MAX:
	case (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | UVC_GET_DEF:
		data = stream_control, size = sizeof(stream_control);
		break;
	default:
		/* Settings change nothing, and all states are 0. */
		if (setup->bRequestType & USB_DIR_IN) {
			data = nothing, size = sizeof(nothing);
		} else {
			size = length;
		}
		/* A stream begins with a picture. */
		if (setup->bRequest == UVC_SET_CUR) {
			sent = 0;
		}
	}
	if (size > length) {
		size = length;
	}
	answer(packet->seqnum, status, data, size);
}

static void
unlink_one(const struct packet *packet)
{
	struct packet reply = {
		.command = htonl(UNLINKED),
		.seqnum = packet->seqnum,
	};
	unsigned int i;

	for (i = 0; i < pendings && pending[i] != packet->unlink.seqnum; i++) {
	}
	if (i < pendings) {
		reply.submitted.status = htonl(-ECONNRESET);
		memmove(pending + i, pending + i + 1,
			(--pendings - i) * sizeof(pending[0]));
	}
	if (send(sock, &reply, sizeof(reply), MSG_NOSIGNAL) < 0) {
		die("the socket");
	}
}

static void
serve(void)
{
	struct packet packet;
	uint8_t data[4096];

	receive(&packet, sizeof(packet));
	if (packet.command == htonl(UNLINK)) {
		unlink_one(&packet);
		return;
	}
	if (packet.direction == 0) {
		if (ntohl(packet.submit.length) > sizeof(data)) {
			errno = EMSGSIZE;
			die("a request");
		}
		receive(data, ntohl(packet.submit.length));
	}
	if (packet.ep == 0) {
		control(&packet);
	} else if (pendings < MAX_PENDING) {
		pending[pendings++] = packet.seqnum;
	} else {
		answer(packet.seqnum, -EPIPE, NULL, 0);
	}
}

/* attach: give one end of a pair of sockets to the kernel, as a fast device. */
static void
attach(void)
{
	int pair[2], fd;
	char line[64];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		die("socketpair");
	}
	fd = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		die("vhci_hcd.0/attach (modprobe vhci-hcd)");
	}
	snprintf(line, sizeof(line), "0 %d 1 %d", pair[1], USB_SPEED_HIGH);
	if (write(fd, line, strlen(line)) < 0) {
		die("vhci_hcd.0/attach");
	}
	close(fd);
	close(pair[1]);
	sock = pair[0];
}

int
main(void)
{
	attach();
	puts("attached");
	fflush(stdout);
	for (;;) {
		struct pollfd poll_fd = { .fd = sock, .events = POLLIN };
		int64_t left = due - now();
		int wait = pendings == 0 ? -1 : left > 0 ? left / 1000000 + 1 :
							   0;

		if (poll(&poll_fd, 1, wait) < 0 && errno != EINTR) {
			die("poll");
		}
		if (poll_fd.revents & (POLLIN | POLLHUP)) {
			serve();
		} else if (pendings > 0 && now() >= due) {
			uint32_t seqnum = pending[0];

			memmove(pending, pending + 1,
				--pendings * sizeof(pending[0]));
			stream(seqnum);
		}
	}
}
