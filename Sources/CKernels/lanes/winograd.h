// The two transforms around the products of winograd.c, one vector of channels at a time. Their
// factors are exact in float32, so only sums round.
#define NEAR_2 (MS_NEAR * MS_NEAR)
#define FAR_2 (MS_FAR * MS_FAR)

/// Six values of a line of the picture become six factors, one for each point: the coefficients of
/// the product of (x - p) over all other points, the last one's over all.
MS_INLINE void spread_line(const Lanes *d, Lanes *t) {
  const Lanes near_even = d[4] - splat(FAR_2) * d[2], near_odd = d[3] - splat(FAR_2) * d[1];
  const Lanes far_even = d[4] - splat(NEAR_2) * d[2], far_odd = d[3] - splat(NEAR_2) * d[1];
  t[0] = splat(NEAR_2 * FAR_2) * d[0] - splat(NEAR_2 + FAR_2) * d[2] + d[4];
  t[1] = near_even + splat(MS_NEAR) * near_odd;
  t[2] = near_even - splat(MS_NEAR) * near_odd;
  t[3] = far_even + splat(MS_FAR) * far_odd;
  t[4] = far_even - splat(MS_FAR) * far_odd;
  t[5] = splat(NEAR_2 * FAR_2) * d[1] - splat(NEAR_2 + FAR_2) * d[3] + d[5];
}

/// Six products become four outputs: output k is the sum of p^k times the product of point p.
MS_INLINE void collect_line(const Lanes *m, Lanes *y) {
  const Lanes near_sum = m[1] + m[2], near_gap = m[1] - m[2];
  const Lanes far_sum = m[3] + m[4], far_gap = m[3] - m[4];
  y[0] = m[0] + near_sum + far_sum;
  y[1] = splat(MS_NEAR) * near_gap + splat(MS_FAR) * far_gap;
  y[2] = splat(NEAR_2) * near_sum + splat(FAR_2) * far_sum;
  y[3] = splat(NEAR_2 * MS_NEAR) * near_gap + splat(FAR_2 * MS_FAR) * far_gap + m[5];
}

/// Channels [i, i + count), `count` at most a vector.
MS_INLINE void spread_channels(const MSPatch *p, int64_t i, const int64_t count, const bool inside) {
  Lanes lines[6][6];
#pragma unroll
  for (int r = 0; r < 6; r++) {
    Lanes d[6];
#pragma unroll
    for (int c = 0; c < 6; c++) {
      const float *const x = p->x + (p->first + r * p->row + c * p->pixel + i);
      const bool empty = !inside && (r < p->top || r >= p->bottom || c < p->left || c >= p->right);
      d[c] = empty ? splat(0.0f) : count < MS_LANES ? load_part(x, count) : load(x);
    }
    spread_line(d, lines[r]);
  }
#pragma unroll
  for (int c = 0; c < 6; c++) {
    Lanes d[6], t[6];
#pragma unroll
    for (int r = 0; r < 6; r++) d[r] = lines[r][c];
    spread_line(d, t);
#pragma unroll
    for (int r = 0; r < 6; r++) {
      float *const to = p->to + (r * 6 + c) * p->step + i;
      if (count < MS_LANES)
        store_part(to, t[r], count);
      else
        store(to, t[r]);
    }
  }
}

MS_INLINE void spread_patch(const MSPatch *p, const bool inside) {
  int64_t i = 0;
  for (; i + MS_LANES <= p->channels; i += MS_LANES) spread_channels(p, i, MS_LANES, inside);
  if (i == p->channels) return;
  // What is left over is done with some channels before it for a second time: to the same end.
  if (p->channels > MS_LANES)
    spread_channels(p, p->channels - MS_LANES, MS_LANES, inside);
  else
    spread_channels(p, 0, p->channels, inside);
}

static void spread(const MSPatch *p) {
  if (p->top == 0 && p->bottom == 6 && p->left == 0 && p->right == 6)
    spread_patch(p, true);
  else
    spread_patch(p, false);
}

MS_INLINE void collect_as(const MSBlock *b, const MSActivation activation) {
  for (int64_t i = 0; i < b->channels; i += MS_LANES) {
    const int64_t left = b->channels - i;
    const bool whole = left >= MS_LANES;
#define PART(p) (whole ? load(p) : load_part((p), left))
    Lanes lines[6][4];
#pragma unroll
    for (int c = 0; c < 6; c++) {
      Lanes m[6];
#pragma unroll
      for (int r = 0; r < 6; r++) m[r] = load(b->sums + (r * 6 + c) * b->step + i);
      collect_line(m, lines[c]);
    }
    const Lanes bias = PART(b->bias + i);
#pragma unroll
    for (int r = 0; r < 4; r++) {
      if (r >= b->rows) break;
      Lanes m[6], y[4];
#pragma unroll
      for (int c = 0; c < 6; c++) m[c] = lines[c][r];
      collect_line(m, y);
#pragma unroll
      for (int c = 0; c < 4; c++) {
        if (c >= b->columns) break;
        const int64_t place = r * b->row + c * b->pixel + i;
        Lanes value = y[c] + bias;
        if (b->residual) value = value + PART(b->residual + place);
        value = activated(value, activation);
        if (whole)
          store(b->y + place, value);
        else
          store_part(b->y + place, value, left);
      }
    }
#undef PART
  }
}

static void collect(const MSBlock *b) {
  switch (b->activation) {
    case MSActivationGELUTanh:
      collect_as(b, MSActivationGELUTanh);
      break;
    case MSActivationSiLU:
      collect_as(b, MSActivationSiLU);
      break;
    case MSActivationReLU:
      collect_as(b, MSActivationReLU);
      break;
    default:
      collect_as(b, MSActivationNone);
  }
}
