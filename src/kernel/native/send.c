/* One packet out, without waiting. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "addon.h"

enum { MOST_PARTS = 8 };

/* The parts of a packet: one Uint8Array, or an array of a few. */
static bool
take_parts(napi_env env, napi_value value, struct iovec *parts, size_t *count)
{
	napi_value elements[MOST_PARTS] = {value};
	bool is_array = false;
	uint32_t length = 1;

	if (napi_is_array(env, value, &is_array) == napi_ok && is_array) {
		if (napi_get_array_length(env, value, &length) != napi_ok || length == 0 || length > MOST_PARTS) {
			napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "packet must have 1 to 8 parts");
			return false;
		}
		/* A getter may run here, and what it does to an array before must not matter: addresses are asked for afterwards. */
		for (uint32_t i = 0; i < length; i++) {
			if (napi_get_element(env, value, i, &elements[i]) != napi_ok) {
				throw_napi_error(env);
				return false;
			}
		}
	}
	for (uint32_t i = 0; i < length; i++) {
		struct bytes bytes;

		if (!take_bytes(env, elements[i], "packet", 0, MOST_PACKET, &bytes))
			return false;
		parts[i] = (struct iovec){bytes.data, bytes.length};
	}
	*count = length;
	return true;
}

/* Room for either kind, aligned for it. */
union source {
	struct cmsghdr header;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void
add_source(struct msghdr *message, union source *room, int level, int type, const void *data, size_t length)
{
	memset(room, 0, sizeof(*room));
	message->msg_control = room;
	message->msg_controllen = CMSG_SPACE(length);
	room->header.cmsg_level = level;
	room->header.cmsg_type = type;
	room->header.cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(&room->header), data, length);
}

/* The source address (4 or 16 bytes, undefined: as the kernel chooses) and the interface (0: any). */
static bool
take_source(napi_env env, const napi_value *values, struct msghdr *message, union source *room)
{
	struct bytes address = {NULL, 0};
	int64_t index = 0;

	if (is_undefined(env, values[0]) && is_undefined(env, values[1]))
		return true;
	if (!take_bytes(env, values[0], "source", 4, 16, &address) ||
	    (!is_undefined(env, values[1]) && !take_integer(env, values[1], "interfaceIndex", 0, INT32_MAX, &index)))
		return false;
	if (address.length == sizeof(struct in_addr)) {
		struct in_pktinfo info = {.ipi_ifindex = (int)index};

		memcpy(&info.ipi_spec_dst, address.data, address.length);
		add_source(message, room, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
		return true;
	}
	if (address.length == sizeof(struct in6_addr)) {
		struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)index};

		memcpy(&info.ipi6_addr, address.data, address.length);
		add_source(message, room, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
		return true;
	}
	napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "source must have 4 or 16 bytes");
	return false;
}

/* sendPacket(descriptor, packet, destination, source, interfaceIndex): the last three may be undefined. */
napi_value
send_packet(napi_env env, napi_callback_info info)
{
	napi_value values[5];
	struct descriptor *descriptor;
	struct iovec parts[MOST_PARTS];
	struct msghdr message = {.msg_iov = parts};
	struct bytes destination;
	struct sockaddr_storage address;
	union source room;
	ssize_t sent;

	if (!take_arguments(env, info, 5, values) || !take_parts(env, values[1], parts, &message.msg_iovlen) ||
	    (descriptor = take_descriptor(env, values[0], "sendmsg")) == NULL)
		return NULL;
	if (!is_undefined(env, values[2])) {
		if (!take_bytes(env, values[2], "destination", sizeof(sa_family_t), sizeof(address), &destination))
			return NULL;
		memcpy(&address, destination.data, destination.length);
		message.msg_name = &address;
		message.msg_namelen = (socklen_t)destination.length;
	}
	if (!take_source(env, &values[3], &message, &room))
		return NULL;
	do
		sent = descriptor->is_socket ? sendmsg(descriptor->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
		                             : writev(descriptor->fd, parts, (int)message.msg_iovlen);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? throw_system_error(env, errno, descriptor->is_socket ? "sendmsg" : "write") : NULL;
}
