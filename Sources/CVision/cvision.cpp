#include "CVision.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>
#include <stdexcept>
#include <string>
#include <vector>

struct cvision_pyramid {
  cv::Mat grey;
  std::vector<cv::Mat> levels;

  void build(int window, int levels);
};

namespace {

// OpenCV's motion library, opened when first needed and in a scope of its own. Debian builds it
// against dnn and with that protobuf, whose names clash with the copy inside SentencePiece: linked
// into one program, the two crash before `main`. With RTLD_DEEPBIND each finds its own.
class MotionLibrary {
 public:
  static const MotionLibrary &shared() {
    static const MotionLibrary library;  // thread-safe; tried again if it throws
    return library;
  }

  decltype(&cv::buildOpticalFlowPyramid) build_pyramid;
  decltype(&cv::calcOpticalFlowPyrLK) follow;
  decltype(&cv::DISOpticalFlow::create) dense;

 private:
  MotionLibrary() {
    // The version is that of the headers, as the C++ names below are only good for it.
    void *handle = dlopen("libopencv_video.so.406", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!handle) throw std::runtime_error(std::string("cannot load OpenCV: ") + dlerror());
    find(handle, build_pyramid,
         "_ZN2cv23buildOpticalFlowPyramidERKNS_11_InputArrayERKNS_12_OutputArrayENS_5Size_IiEEib"
         "iib");
    find(handle, follow,
         "_ZN2cv20calcOpticalFlowPyrLKERKNS_11_InputArrayES2_S2_RKNS_17_InputOutputArrayERKNS_12_"
         "OutputArrayES8_NS_5Size_IiEEiNS_12TermCriteriaEid");
    find(handle, dense, "_ZN2cv14DISOpticalFlow6createEi");
  }

  template <typename Function>
  static void find(void *handle, Function &function, const char *name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    if (!function) throw std::runtime_error(std::string("OpenCV lacks ") + name);
  }
};

// Runs `body` and turns whatever it throws into a message.
template <typename Result, typename Body>
Result guarded(Result failure, char *error, int error_size, Body body) {
  try {
    return body();
  } catch (const cv::Exception &exception) {
    std::snprintf(error, error_size, "OpenCV: %s", exception.err.c_str());
  } catch (const std::exception &exception) {
    std::snprintf(error, error_size, "%s", exception.what());
  } catch (...) {
    std::snprintf(error, error_size, "unknown exception in OpenCV");
  }
  return failure;
}

}  // namespace

void cvision_pyramid::build(int window, int count) {
  // The last four: with gradients, the borders of picture and gradients, sharing `grey`.
  MotionLibrary::shared().build_pyramid(
      grey, levels, cv::Size(window, window), count, true, cv::BORDER_REFLECT_101,
      cv::BORDER_CONSTANT, true);
}

cvision_pyramid *cvision_pyramid_make(
    const uint8_t *rgb, int width, int height, int window, int levels, char *error,
    int error_size) {
  return guarded<cvision_pyramid *>(nullptr, error, error_size, [&] {
    auto pyramid = std::make_unique<cvision_pyramid>();
    // OpenCV wants a mutable pointer, but does not write to the source of a conversion.
    const cv::Mat picture(height, width, CV_8UC3, const_cast<uint8_t *>(rgb));
    cv::cvtColor(picture, pyramid->grey, cv::COLOR_RGB2GRAY);
    pyramid->build(window, levels);
    return pyramid.release();
  });
}

cvision_pyramid *cvision_pyramid_warp(
    const cvision_pyramid *from, const double *matrix, int window, int levels, char *error,
    int error_size) {
  return guarded<cvision_pyramid *>(nullptr, error, error_size, [&] {
    auto pyramid = std::make_unique<cvision_pyramid>();
    const cv::Mat homography(3, 3, CV_64F, const_cast<double *>(matrix));
    cv::warpPerspective(from->grey, pyramid->grey, homography, from->grey.size(), cv::INTER_LINEAR,
                        cv::BORDER_REPLICATE);
    pyramid->build(window, levels);
    return pyramid.release();
  });
}

void cvision_pyramid_free(cvision_pyramid *pyramid) { delete pyramid; }

int cvision_follow(
    const cvision_pyramid *from, const cvision_pyramid *to, int window, int levels, int use_guess,
    float least_eigenvalue, const float *start, float *end, uint8_t *found, float *residual,
    int count, char *error, int error_size) {
  return guarded(0, error, error_size, [&] {
    const cv::Mat before(count, 1, CV_32FC2, const_cast<float *>(start));
    // Made in the right shape and type, these are filled in place.
    cv::Mat after(count, 1, CV_32FC2, end);
    cv::Mat status(count, 1, CV_8UC1, found);
    cv::Mat difference(count, 1, CV_32FC1, residual);
    // Twenty steps or 0.01 px: beyond that a window moves less than its noise.
    const cv::TermCriteria stop(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, 20, 0.01);
    MotionLibrary::shared().follow(
        from->levels, to->levels, before, after, status, difference, cv::Size(window, window),
        levels, stop, use_guess ? cv::OPTFLOW_USE_INITIAL_FLOW : 0, least_eigenvalue);
    return 1;
  });
}

void cvision_texture(
    const cvision_pyramid *pyramid, int window, const float *points, float *texture, int count) {
  // The pictures and their gradients (Scharr, 32 times the change per pixel) take turns.
  const cv::Mat &gradients = pyramid->levels[1];
  const int radius = window / 2;
  for (int index = 0; index < count; index++) {
    const int column = cvRound(points[2 * index]), row = cvRound(points[2 * index + 1]);
    float sums[3] = {0, 0, 0};
    for (int y = std::max(row - radius, 0); y <= std::min(row + radius, gradients.rows - 1); y++) {
      const auto *line = gradients.ptr<cv::Vec2s>(y);
      for (int x = std::max(column - radius, 0); x <= std::min(column + radius, gradients.cols - 1);
           x++) {
        const float across = line[x][0] / 32.0f, down = line[x][1] / 32.0f;
        sums[0] += across * across;
        sums[1] += across * down;
        sums[2] += down * down;
      }
    }
    for (int i = 0; i < 3; i++) texture[3 * index + i] = sums[i] / (window * window);
  }
}

int cvision_dense_flow(
    const cvision_pyramid *from, const cvision_pyramid *to, float *flow, char *error,
    int error_size) {
  return guarded(0, error, error_size, [&] {
    cv::Mat result(from->grey.rows, from->grey.cols, CV_32FC2, flow);
    const auto method = MotionLibrary::shared().dense(cv::DISOpticalFlow::PRESET_MEDIUM);
    method->calc(from->grey, to->grey, result);
    // OpenCV may have allocated another array.
    if (result.ptr<float>() != flow) {
      std::memcpy(flow, result.ptr<float>(), result.total() * result.elemSize());
    }
    return 1;
  });
}
