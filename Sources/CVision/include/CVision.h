// A small C door to OpenCV's motion estimation. OpenCV 4 has no C interface, and its C++ one
// cannot be imported into Swift: templates, exceptions.
//
// Coordinates are pixels with (0, 0) in the middle of the first pixel, as OpenCV counts them.
// Every function that can fail returns NULL or 0 and then writes why into `error`, `error_size`
// bytes, always terminated. No C++ exception leaves this file.

#ifndef CVISION_H
#define CVISION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A grey picture at several sizes, with its gradients.
typedef struct cvision_pyramid cvision_pyramid;

// Makes the pyramid of an rgb24 picture, [height][width][3]. `window` is the side of the largest
// window that will be followed, `levels` how often the size is halved.
cvision_pyramid *cvision_pyramid_make(
    const uint8_t *rgb, int width, int height, int window, int levels, char *error, int error_size);

// The pyramid of a picture seen through a homography, `matrix` [3][3] by rows from its pixels to those
// of the result. Edges are repeated outwards.
cvision_pyramid *cvision_pyramid_warp(
    const cvision_pyramid *from, const double *matrix, int window, int levels, char *error,
    int error_size);

void cvision_pyramid_free(cvision_pyramid *pyramid);

// Pyramidal Lucas-Kanade: follows `count` points, `start` and `end` [count][2], from one picture to
// another of the same size. With `use_guess`, `end` holds where to begin. `found` is 0 where the
// picture has too little texture or the search left it; `residual` is the mean grey difference.
int cvision_follow(
    const cvision_pyramid *from, const cvision_pyramid *to, int window, int levels, int use_guess,
    float least_eigenvalue, const float *start, float *end, uint8_t *found, float *residual,
    int count, char *error, int error_size);

// What windows around points show to a tracker: `texture` [count][3] holds the means over the window
// of the squared change across, across times down, and the squared change down, in grey per pixel.
void cvision_texture(
    const cvision_pyramid *pyramid, int window, const float *points, float *texture, int count);

// Dense inverse search: `flow` [height][width][2] moves every pixel of one picture to the other.
int cvision_dense_flow(
    const cvision_pyramid *from, const cvision_pyramid *to, float *flow, char *error,
    int error_size);

#ifdef __cplusplus
}
#endif

#endif
