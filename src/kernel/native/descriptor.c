/* Descriptors as JavaScript objects: opened here, closed exactly once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addon.h"

/* Tells our objects from those that other addons have wrapped. */
static const napi_type_tag DESCRIPTOR_TAG = {0x69736b616d706d64, 0x64657363726970};

static void
close_once(struct descriptor *descriptor)
{
	int fd = descriptor->fd;

	stop_polling(descriptor);
	descriptor->fd = -1;
	/* Not again after EINTR: Linux has closed it then. */
	if (fd >= 0)
		close(fd);
}

static void
finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_once(data);
	free(data);
}

napi_value
wrap_descriptor(napi_env env, int fd, bool is_socket)
{
	struct descriptor *descriptor = calloc(1, sizeof(*descriptor));
	napi_value object;
	void *instance;

	if (descriptor == NULL || napi_get_instance_data(env, &instance) != napi_ok ||
	    napi_create_object(env, &object) != napi_ok ||
	    napi_type_tag_object(env, object, &DESCRIPTOR_TAG) != napi_ok ||
	    napi_wrap(env, object, descriptor, finalize, NULL, NULL) != napi_ok) {
		free(descriptor);
		close(fd);
		return throw_napi_error(env);
	}
	*descriptor = (struct descriptor){.fd = fd, .is_socket = is_socket, .instance = instance};
	return object;
}

struct descriptor *
unwrap_descriptor(napi_env env, napi_value value)
{
	napi_valuetype type;
	bool is_ours = false;
	void *data;

	if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
	    napi_check_object_type_tag(env, value, &DESCRIPTOR_TAG, &is_ours) != napi_ok || !is_ours ||
	    napi_unwrap(env, value, &data) != napi_ok)
		return NULL;
	return data;
}

/* closeDescriptor(descriptor): the second time nothing happens. */
napi_value
close_descriptor(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct descriptor *descriptor;

	if (!take_arguments(env, info, 1, values) || (descriptor = take_any_descriptor(env, values[0])) == NULL)
		return NULL;
	close_once(descriptor);
	return NULL;
}
