/* The addon as Node loads it: once for each thread that wants it, with no state that threads share. */
#include <stdlib.h>
#include <string.h>

#include "addon.h"

static void
finalize_instance(napi_env env, void *data, void *hint)
{
	struct instance *instance = data;

	(void)env;
	(void)hint;
	free(instance->scratch);
	free(instance);
}

static bool
make_instance(napi_env env)
{
	struct instance *instance = calloc(1, sizeof(*instance));

	if (instance == NULL)
		return false;
	instance->env = env;
	if (napi_get_uv_event_loop(env, &instance->loop) == napi_ok &&
	    napi_set_instance_data(env, instance, finalize_instance, NULL) == napi_ok)
		return napi_add_async_cleanup_hook(env, on_environment_end, instance, &instance->cleanup) == napi_ok;
	free(instance);
	return false;
}

#define FUNCTION(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}

NAPI_MODULE_INIT()
{
	const napi_property_descriptor functions[] = {
		FUNCTION("openSocket", open_socket),
		FUNCTION("bindSocket", bind_socket),
		FUNCTION("connectSocket", connect_socket),
		FUNCTION("setOption", set_option),
		FUNCTION("getOption", get_option),
		FUNCTION("steerReusePort", steer_reuse_port),
		FUNCTION("localName", local_name),
		FUNCTION("sendPacket", send_packet),
		FUNCTION("startReading", start_reading),
		FUNCTION("onceWritable", once_writable),
		FUNCTION("closeDescriptor", close_descriptor),
		FUNCTION("createFifo", create_fifo),
		FUNCTION("openTun", open_tun),
		FUNCTION("interfaceIndex", interface_index),
		FUNCTION("interfaceName", interface_name),
	};
	const char *type = uv_handle_type_name(UV_POLL);

	if (type == NULL || strcmp(type, "poll") != 0) {
		napi_throw_error(env, "ERR_NATIVE", "this libuv numbers its handles in another way");
		return NULL;
	}
	if (!make_instance(env))
		return throw_napi_error(env);
	NAPI_TRY(env, napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions));
	return exports;
}
