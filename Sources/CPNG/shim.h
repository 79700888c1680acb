#include <png.h>

// Swift does not import macros made of other macros and operators.
static const png_uint_32 CPNG_FORMAT_RGB = PNG_FORMAT_RGB;
static const png_uint_32 CPNG_FORMAT_RGBA = PNG_FORMAT_RGBA;

// A macro with a loop of arithmetic in it: the most bytes that a written picture can take.
static inline png_alloc_size_t cpng_largest_size(png_image image) {
  return PNG_IMAGE_PNG_SIZE_MAX(image);
}
