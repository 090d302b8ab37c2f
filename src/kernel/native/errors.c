/* Errors as Node's own system errors look: code, errno (negative), syscall. */
#include <features.h>
#include <stdio.h>
#include <string.h>

#include "addon.h"

/* libuv's words where it knows the number, because Node uses them; it does not know all that devices and PF_KEY answer. */
static void
describe(int error, char *name, size_t name_size, char *meaning, size_t meaning_size)
{
	uv_err_name_r(-error, name, name_size);
	uv_strerror_r(-error, meaning, meaning_size);
#ifdef __GLIBC__
	if (strncmp(name, "Unknown", strlen("Unknown")) == 0 && strerrorname_np(error) != NULL) {
		snprintf(name, name_size, "%s", strerrorname_np(error));
		snprintf(meaning, meaning_size, "%s", strerrordesc_np(error));
	}
#endif
}

static napi_status
set_text(napi_env env, napi_value object, const char *name, const char *text)
{
	napi_value value;
	napi_status status = napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);

	return status == napi_ok ? napi_set_named_property(env, object, name, value) : status;
}

napi_value
make_system_error(napi_env env, int error, const char *syscall)
{
	char name[64], meaning[128], text[256];
	napi_value message, result, number;

	describe(error, name, sizeof(name), meaning, sizeof(meaning));
	snprintf(text, sizeof(text), "%s: %s, %s", name, meaning, syscall);
	if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
	    napi_create_error(env, NULL, message, &result) != napi_ok ||
	    napi_create_int32(env, -error, &number) != napi_ok ||
	    napi_set_named_property(env, result, "errno", number) != napi_ok ||
	    set_text(env, result, "code", name) != napi_ok || set_text(env, result, "syscall", syscall) != napi_ok)
		return NULL;
	return result;
}

napi_value
throw_system_error(napi_env env, int error, const char *syscall)
{
	napi_value thrown = make_system_error(env, error, syscall);

	if (thrown == NULL)
		return throw_napi_error(env);
	napi_throw(env, thrown);
	return NULL;
}

napi_value
throw_napi_error(napi_env env)
{
	bool is_pending = false;

	/* An exception of a getter, for example, is on its way already. */
	if (napi_is_exception_pending(env, &is_pending) == napi_ok && !is_pending)
		napi_throw_error(env, "ERR_NATIVE", "the addon could not get or make a JavaScript value");
	return NULL;
}
