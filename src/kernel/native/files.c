/* FIFOs, TUN devices, and the names of interfaces. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addon.h"

/* createFifo(path, mode): follows no link, and fails where something is there. */
napi_value
create_fifo(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	char path[PATH_MAX];
	int64_t mode;

	if (!take_arguments(env, info, 2, values) || !take_text(env, values[0], "path", path, sizeof(path)) ||
	    !take_integer(env, values[1], "mode", 0, 0777, &mode))
		return NULL;
	return mkfifo(path, (mode_t)mode) == 0 ? NULL : throw_system_error(env, errno, "mkfifo");
}

/* openTun(name, flags): a descriptor whose interfaceName is the name in full, where `name` ended with %d. */
napi_value
open_tun(napi_env env, napi_callback_info info)
{
	napi_value values[2], object, name;
	struct ifreq request = {0};
	int64_t flags;
	int fd;

	if (!take_arguments(env, info, 2, values) ||
	    !take_text(env, values[0], "name", request.ifr_name, sizeof(request.ifr_name)) ||
	    !take_integer(env, values[1], "flags", 0, UINT16_MAX, &flags))
		return NULL;
	request.ifr_flags = (short)flags;
	if ((fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)) < 0)
		return throw_system_error(env, errno, "open");
	if (ioctl(fd, TUNSETIFF, &request) != 0) {
		int error = errno;

		close(fd);
		return throw_system_error(env, error, "ioctl");
	}
	if ((object = wrap_descriptor(env, fd, false)) == NULL)
		return NULL;
	NAPI_TRY(env, napi_create_string_utf8(env, request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ), &name));
	NAPI_TRY(env, napi_set_named_property(env, object, "interfaceName", name));
	return object;
}

/* interfaceIndex(name): 0 where there is none. */
napi_value
interface_index(napi_env env, napi_callback_info info)
{
	napi_value values[1], index;
	char name[IFNAMSIZ];

	if (!take_arguments(env, info, 1, values) || !take_text(env, values[0], "name", name, sizeof(name)))
		return NULL;
	NAPI_TRY(env, napi_create_uint32(env, if_nametoindex(name), &index));
	return index;
}

/* interfaceName(index): undefined where there is none. */
napi_value
interface_name(napi_env env, napi_callback_info info)
{
	napi_value values[1], text;
	char name[IFNAMSIZ];
	int64_t index;

	if (!take_arguments(env, info, 1, values) || !take_integer(env, values[0], "index", 1, UINT32_MAX, &index) ||
	    if_indextoname((unsigned)index, name) == NULL)
		return NULL;
	NAPI_TRY(env, napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text));
	return text;
}
