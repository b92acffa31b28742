// Included before everything else when a native addon is compiled (scripts/bootstrap.mjs).
//
// Since 24.19 Node's node_object_wrap.h, which is compiled into the addon, registers every
// wrapped object for clean-up and unregisters it in its destructor. The garbage collector
// runs destructors where no context is entered, and there unregistering aborts the whole
// process: for ssh2, once a closed connection's cipher is collected, and with it every
// session of a gateway. https://github.com/nodejs/node/issues/65446
//
// This leaves the two calls out of that one header, as it was before 24.19. Take it away
// when the pinned Node has it fixed.
#include <node.h>
#define AddEnvironmentCleanupHook(isolate, fun, arg) ((void)0)
#define RemoveEnvironmentCleanupHook(isolate, fun, arg) ((void)0)
#include <node_object_wrap.h>
#undef AddEnvironmentCleanupHook
#undef RemoveEnvironmentCleanupHook
