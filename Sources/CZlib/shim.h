#include <zlib.h>

// inflateInit2 is a macro, which Swift cannot import. Negative window bits: no zlib header.
static inline int czlib_inflate_init_raw(z_stream *stream) {
  return inflateInit2(stream, -MAX_WBITS);
}
