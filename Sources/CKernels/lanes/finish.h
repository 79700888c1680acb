MS_INLINE void finish_as(const MSFinish *f, const MSActivation activation, const MSWrite write) {
  for (int64_t i = 0; i < f->count; i += MS_LANES) {
    const int64_t left = f->count - i;
    const bool whole = left >= MS_LANES;
#define PART(p) (whole ? load((p) + i) : load_part((p) + i, left))
    Lanes value = PART(f->sum) + PART(f->bias);
    if (f->residual) value = value + PART(f->residual);
    value = activated(value, activation);
    if (write == MSWriteAdd) value = PART(f->y) + value;
    if (write == MSWriteGatedAdd) value = PART(f->gate) * value + PART(f->y);
#undef PART
    if (whole)
      store(f->y + i, value);
    else
      store_part(f->y + i, value, left);
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
