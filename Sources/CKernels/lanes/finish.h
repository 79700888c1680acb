MS_INLINE void finish_as(const MSFinish *f, const MSActivation activation, const MSWrite write) {
  for (int64_t row = 0; row < f->rows; row++) {
    const float *const sum = f->sum + row * f->lds;
    const float *const residual = f->residual ? f->residual + row * f->ldy : NULL;
    float *const y = f->y + row * f->ldy;
    for (int64_t i = 0; i < f->count; i += MS_LANES) {
      const int64_t left = f->count - i;
      const bool whole = left >= MS_LANES;
#define PART(p) (whole ? load((p) + i) : load_part((p) + i, left))
      Lanes value = PART(sum) + PART(f->bias);
      if (residual) value = value + PART(residual);
      value = activated(value, activation);
      if (write == MSWriteAdd) value = PART(y) + value;
      if (write == MSWriteGatedAdd) value = PART(f->gate) * value + PART(y);
#undef PART
      if (whole)
        store(y + i, value);
      else
        store_part(y + i, value, left);
    }
  }
}

MS_INLINE void finish_with(const MSFinish *f, const MSActivation activation) {
  switch (f->write) {
    case MSWriteAdd:
      finish_as(f, activation, MSWriteAdd);
      break;
    case MSWriteGatedAdd:
      finish_as(f, activation, MSWriteGatedAdd);
      break;
    default:
      finish_as(f, activation, MSWriteStore);
  }
}

static void finish(const MSFinish *f) {
  switch (f->activation) {
    case MSActivationGELUTanh:
      finish_with(f, MSActivationGELUTanh);
      break;
    case MSActivationSiLU:
      finish_with(f, MSActivationSiLU);
      break;
    case MSActivationReLU:
      finish_with(f, MSActivationReLU);
      break;
    default:
      finish_with(f, MSActivationNone);
  }
}
