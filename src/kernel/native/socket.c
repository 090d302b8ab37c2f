/* Sockets of any family that keeps packets apart: open, name, options. */
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "addon.h"

enum { MOST_INSTRUCTIONS = 64 };

static bool
take_address(napi_env env, napi_value value, const char *name, struct sockaddr_storage *address, socklen_t *length)
{
	struct bytes bytes;

	if (!take_bytes(env, value, name, sizeof(sa_family_t), sizeof(*address), &bytes))
		return false;
	memcpy(address, bytes.data, bytes.length);
	*length = (socklen_t)bytes.length;
	return true;
}

static napi_value
copy_bytes(napi_env env, const void *data, size_t length)
{
	napi_value buffer, array;
	void *copy;

	NAPI_TRY(env, napi_create_arraybuffer(env, length, &copy, &buffer));
	if (length > 0)
		memcpy(copy, data, length);
	NAPI_TRY(env, napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array));
	return array;
}

/* openSocket(family, type, protocol) */
napi_value
open_socket(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	int64_t family, type, protocol;
	int fd;

	if (!take_arguments(env, info, 3, values) || !take_integer(env, values[0], "family", 1, UINT16_MAX, &family) ||
	    /* Streams have no packets; raw and datagram sockets are neighbours. */
	    !take_integer(env, values[1], "type", SOCK_DGRAM, SOCK_RAW, &type) ||
	    !take_integer(env, values[2], "protocol", 0, UINT16_MAX, &protocol))
		return NULL;
	fd = socket((int)family, (int)type | SOCK_CLOEXEC | SOCK_NONBLOCK, (int)protocol);
	return fd < 0 ? throw_system_error(env, errno, "socket") : wrap_descriptor(env, fd, true);
}

static napi_value
give_address(napi_env env, napi_callback_info info, const char *syscall,
	int (*call)(int, const struct sockaddr *, socklen_t))
{
	napi_value values[2];
	struct descriptor *descriptor;
	struct sockaddr_storage address;
	socklen_t length;

	if (!take_arguments(env, info, 2, values) || (descriptor = take_descriptor(env, values[0], syscall)) == NULL ||
	    !take_address(env, values[1], "address", &address, &length))
		return NULL;
	if (call(descriptor->fd, (const struct sockaddr *)&address, length) != 0)
		return throw_system_error(env, errno, syscall);
	return NULL;
}

/* bindSocket(descriptor, address) */
napi_value
bind_socket(napi_env env, napi_callback_info info)
{
	return give_address(env, info, "bind", bind);
}

/* connectSocket(descriptor, address): for packets that means the peer's address, and waits for nothing. */
napi_value
connect_socket(napi_env env, napi_callback_info info)
{
	return give_address(env, info, "connect", connect);
}

static bool
take_option(napi_env env, const napi_value *values, int64_t *level, int64_t *name)
{
	return take_integer(env, values[1], "level", 0, INT32_MAX, level) &&
	       take_integer(env, values[2], "name", 0, INT32_MAX, name);
}

/* setOption(descriptor, level, name, value) */
napi_value
set_option(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	struct descriptor *descriptor;
	int64_t level, name;
	struct bytes value;

	if (!take_arguments(env, info, 4, values) ||
	    (descriptor = take_descriptor(env, values[0], "setsockopt")) == NULL ||
	    !take_option(env, values, &level, &name) || !take_bytes(env, values[3], "value", 1, MOST_OPTION, &value))
		return NULL;
	if (setsockopt(descriptor->fd, (int)level, (int)name, value.data, (socklen_t)value.length) != 0)
		return throw_system_error(env, errno, "setsockopt");
	return NULL;
}

/*
 * steerReusePort(descriptor, program): which of the sockets of one address and port gets a packet (SO_ATTACH_REUSEPORT_CBPF). The
 * program is an array of struct sock_filter; the kernel checks it.
 */
napi_value
steer_reuse_port(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct descriptor *descriptor;
	struct bytes bytes;
	struct sock_filter program[MOST_INSTRUCTIONS];
	struct sock_fprog attachment = {.filter = program};

	if (!take_arguments(env, info, 2, values) ||
	    (descriptor = take_descriptor(env, values[0], "setsockopt")) == NULL ||
	    !take_bytes(env, values[1], "program", sizeof(program[0]), sizeof(program), &bytes))
		return NULL;
	if (bytes.length % sizeof(program[0]) != 0) {
		napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "program must have whole instructions");
		return NULL;
	}
	memcpy(program, bytes.data, bytes.length);
	attachment.len = (unsigned short)(bytes.length / sizeof(program[0]));
	if (setsockopt(descriptor->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attachment, sizeof(attachment)) != 0)
		return throw_system_error(env, errno, "setsockopt");
	return NULL;
}

/* getOption(descriptor, level, name, length): at most so many bytes. */
napi_value
get_option(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	struct descriptor *descriptor;
	int64_t level, name, most;
	uint8_t value[MOST_OPTION] = {0};
	socklen_t length;

	if (!take_arguments(env, info, 4, values) ||
	    (descriptor = take_descriptor(env, values[0], "getsockopt")) == NULL ||
	    !take_option(env, values, &level, &name) || !take_integer(env, values[3], "length", 1, MOST_OPTION, &most))
		return NULL;
	length = (socklen_t)most;
	if (getsockopt(descriptor->fd, (int)level, (int)name, value, &length) != 0)
		return throw_system_error(env, errno, "getsockopt");
	return copy_bytes(env, value, length < most ? length : (size_t)most);
}

/* localName(descriptor): its own address. */
napi_value
local_name(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct descriptor *descriptor;
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	if (!take_arguments(env, info, 1, values) || (descriptor = take_descriptor(env, values[0], "getsockname")) == NULL)
		return NULL;
	if (getsockname(descriptor->fd, (struct sockaddr *)&address, &length) != 0)
		return throw_system_error(env, errno, "getsockname");
	return copy_bytes(env, &address, length < sizeof(address) ? length : sizeof(address));
}
