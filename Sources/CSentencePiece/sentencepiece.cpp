#include "CSentencePiece.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <sentencepiece_processor.h>

struct SPModel {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

void setError(char **error, const char *text) {
  if (error != nullptr) *error = strdup(text);
}

// Runs `body`, turning anything thrown into an error text and `failed`.
template <typename Result, typename Body>
Result guarded(Result failed, char **error, Body body) {
  try {
    return body();
  } catch (const std::exception &thrown) {
    setError(error, thrown.what());
  } catch (...) {
    setError(error, "unknown exception");
  }
  return failed;
}

}  // namespace

SPModel *sp_load(const void *bytes, size_t count, char **error) {
  return guarded<SPModel *>(nullptr, error, [&]() -> SPModel * {
    auto model = std::make_unique<SPModel>();
    const auto status = model->processor.LoadFromSerializedProto(
        absl::string_view(static_cast<const char *>(bytes), count));
    if (!status.ok()) {
      setError(error, status.ToString().c_str());
      return nullptr;
    }
    return model.release();
  });
}

void sp_unload(SPModel *model) { delete model; }

int64_t sp_encode(const SPModel *model, const char *text, size_t count, int32_t **ids,
                  char **error) {
  return guarded<int64_t>(-1, error, [&]() -> int64_t {
    std::vector<int> pieces;
    const auto status = model->processor.Encode(absl::string_view(text, count), &pieces);
    if (!status.ok()) {
      setError(error, status.ToString().c_str());
      return -1;
    }
    auto *copy = static_cast<int32_t *>(malloc(sizeof(int32_t) * (pieces.size() + 1)));
    if (copy == nullptr) throw std::bad_alloc();
    for (size_t i = 0; i < pieces.size(); ++i) copy[i] = pieces[i];
    *ids = copy;
    return static_cast<int64_t>(pieces.size());
  });
}

int32_t sp_piece_count(const SPModel *model) { return model->processor.GetPieceSize(); }
int32_t sp_unknown_id(const SPModel *model) { return model->processor.unk_id(); }
int32_t sp_end_id(const SPModel *model) { return model->processor.eos_id(); }
int32_t sp_padding_id(const SPModel *model) { return model->processor.pad_id(); }

void sp_free(void *pointer) { free(pointer); }
