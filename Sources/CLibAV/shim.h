#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/md5.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

// Swift imports neither function-like macros nor casts, which these are.
static const int CLIBAV_ERROR_EOF = AVERROR_EOF;
static const int CLIBAV_ERROR_AGAIN = AVERROR(EAGAIN);
static const int CLIBAV_ERROR_NOT_FOUND = AVERROR_OPTION_NOT_FOUND;
static const int64_t CLIBAV_NO_PTS = AV_NOPTS_VALUE;
