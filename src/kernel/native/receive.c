/*
 * Packets in: as many as are there, in one slab. It begins with eight 32-bit words for each packet: offset and length of the
 * packet, of the source address, of the address it was sent to (4 or 16 bytes; none unless IP_PKTINFO or IPV6_RECVPKTINFO is set),
 * the interface's index, and 1 where the packet was cut to the largest size.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addon.h"

enum { WORDS = 8, CONTROL_ROOM = 256 };

struct packet {
	size_t length;
	bool is_cut;
	struct sockaddr_storage source;
	socklen_t source_length;
	uint8_t destination[16];
	size_t destination_length;
	uint32_t interface;
};

static bool
make_room(struct instance *instance, size_t size)
{
	uint8_t *larger;

	if (instance->scratch_size >= size)
		return true;
	larger = malloc(size);
	if (larger == NULL)
		return false;
	free(instance->scratch);
	instance->scratch = larger;
	instance->scratch_size = size;
	return true;
}

static void
read_control(struct msghdr *message, struct packet *packet)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
		    c->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			packet->destination_length = sizeof(info.ipi_addr);
			memcpy(packet->destination, &info.ipi_addr, sizeof(info.ipi_addr));
			packet->interface = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
		           c->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			packet->destination_length = sizeof(info.ipi6_addr);
			memcpy(packet->destination, &info.ipi6_addr, sizeof(info.ipi6_addr));
			packet->interface = info.ipi6_ifindex;
		}
	}
}

/* How many came, or -1 and errno. Packet i is at scratch + i * max_size. */
static int
receive_from_socket(int fd, uint8_t *scratch, const struct reading *reading, struct packet *packets)
{
	struct mmsghdr messages[MOST_BATCH];
	struct iovec parts[MOST_BATCH];
	_Alignas(struct cmsghdr) char control[MOST_BATCH][CONTROL_ROOM];
	int count;

	memset(messages, 0, reading->batch * sizeof(messages[0]));
	for (size_t i = 0; i < reading->batch; i++) {
		parts[i] = (struct iovec){scratch + i * reading->max_size, reading->max_size};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &packets[i].source,
			.msg_namelen = sizeof(packets[i].source),
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = CONTROL_ROOM};
	}
	do
		count = recvmmsg(fd, messages, (unsigned)reading->batch, MSG_DONTWAIT, NULL);
	while (count < 0 && errno == EINTR);
	for (int i = 0; i < count; i++) {
		struct msghdr *header = &messages[i].msg_hdr;

		packets[i].length = messages[i].msg_len;
		packets[i].is_cut = (header->msg_flags & MSG_TRUNC) != 0;
		packets[i].source_length =
			header->msg_namelen < sizeof(packets[i].source) ? header->msg_namelen : sizeof(packets[i].source);
		packets[i].destination_length = 0;
		packets[i].interface = 0;
		read_control(header, &packets[i]);
	}
	return count;
}

/* The same for a TUN device, which cuts what is too long without saying so: callers read with room for any packet. */
static int
receive_from_device(int fd, uint8_t *scratch, const struct reading *reading, struct packet *packets)
{
	size_t count = 0;

	while (count < reading->batch) {
		ssize_t length = read(fd, scratch + count * reading->max_size, reading->max_size);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			break;
		packets[count].length = (size_t)length;
		packets[count].is_cut = false;
		packets[count].source_length = 0;
		packets[count].destination_length = 0;
		packets[count].interface = 0;
		count++;
	}
	return count > 0 ? (int)count : -1;
}

static size_t
aligned(size_t length)
{
	return (length + 7) & ~(size_t)7;
}

static size_t
put(uint8_t *slab, size_t *end, const void *data, size_t length)
{
	size_t offset = *end;

	memcpy(slab + offset, data, length);
	*end += aligned(length);
	return offset;
}

static void
fill(uint8_t *slab, uint8_t *scratch, size_t max_size, const struct packet *packets, size_t count)
{
	size_t end = count * WORDS * sizeof(uint32_t);

	for (size_t i = 0; i < count; i++) {
		const struct packet *packet = &packets[i];
		uint8_t *received = scratch + i * max_size;
		uint32_t words[WORDS] = {
			(uint32_t)put(slab, &end, received, packet->length),
			(uint32_t)packet->length,
			(uint32_t)put(slab, &end, &packet->source, packet->source_length),
			(uint32_t)packet->source_length,
			(uint32_t)put(slab, &end, packet->destination, packet->destination_length),
			(uint32_t)packet->destination_length,
			packet->interface,
			packet->is_cut,
		};

		memcpy(slab + i * sizeof(words), words, sizeof(words));
		/* PF_KEY and netlink carry keys. */
		explicit_bzero(received, packet->length);
	}
}

int
receive_batch(struct instance *instance, const struct descriptor *descriptor, const struct reading *reading,
	napi_value *slab, uint32_t *count)
{
	struct packet packets[MOST_BATCH];
	size_t size;
	void *bytes;
	int received;

	*count = 0;
	if (!make_room(instance, reading->batch * reading->max_size))
		return ENOMEM;
	received = descriptor->is_socket
	               ? receive_from_socket(descriptor->fd, instance->scratch, reading, packets)
	               : receive_from_device(descriptor->fd, instance->scratch, reading, packets);
	if (received < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
	size = (size_t)received * WORDS * sizeof(uint32_t);
	for (int i = 0; i < received; i++)
		size += aligned(packets[i].length) + aligned(packets[i].source_length) +
		        aligned(packets[i].destination_length);
	if (napi_create_arraybuffer(instance->env, size, &bytes, slab) != napi_ok)
		return ENOMEM;
	fill(bytes, instance->scratch, reading->max_size, packets, (size_t)received);
	*count = (uint32_t)received;
	return 0;
}
