// SentencePiece for Swift. The library is C++ and reports failures partly as status values and
// partly as exceptions; Swift can call neither, so every function here is plain C, catches both and
// hands the text back through `error` (release it with sp_free). Nothing aborts the process.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A loaded model. Immutable after loading: any number of threads may encode with it.
typedef struct SPModel SPModel;

/// Reads a serialised model (the bytes of a `spiece.model`). NULL, with *error set, when it is none.
SPModel *sp_load(const void *bytes, size_t count, char **error);
void sp_unload(SPModel *model);

/// Splits `count` bytes of UTF-8 into piece ids: *ids is set to a new array (release it with sp_free)
/// and its length is returned; no end token is appended. -1, with *error set, on failure.
int64_t sp_encode(const SPModel *model, const char *text, size_t count, int32_t **ids, char **error);

/// Number of pieces in the vocabulary.
int32_t sp_piece_count(const SPModel *model);
/// Ids of the unknown, end and padding pieces; -1 when the model has none.
int32_t sp_unknown_id(const SPModel *model);
int32_t sp_end_id(const SPModel *model);
int32_t sp_padding_id(const SPModel *model);

/// Releases an error text or an id array. NULL is allowed.
void sp_free(void *pointer);

#ifdef __cplusplus
}
#endif
