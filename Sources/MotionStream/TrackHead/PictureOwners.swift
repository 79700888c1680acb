// Letters: H W picture size, P = H*W pixels, N tracks.

/// Cost of a step to the next pixel, and across a corner.
private let (pixelCost, diagonalCost): (Int64, Int64) = (5, 7)
/// What a step costs more for every level, of 255, that colours differ; and where outlines are looked
/// for.
private let (edgeCost, outlineCost): (Int64, Int64) = (1, 3)

/// A picture's colours [P, 3] as levels of 255.
struct PictureLevels {
  let size: PictureSize
  private let values: [Int16]

  /// `picture` [P, 3] in [0, 1].
  init(_ picture: Tensor, size: PictureSize) {
    self.size = size
    values = (0..<size.count * 3).map {
      Int16((255 * picture.pointer[$0]).rounded(.toNearestOrEven))
    }
  }

  /// By how many levels the colours of two pixels differ.
  @inline(__always)
  func difference(_ one: Int, _ other: Int) -> Int16 {
    var most: Int16 = 0
    for channel in 0..<3 {
      most = max(most, abs(values[3 * one + channel] - values[3 * other + channel]))
    }
    return most
  }
}

/// The number of the track that owns each pixel of a picture [P], or -1: the one whose
/// start, a place on the picture, is nearest along it, within `reach` pixels of the cheapest kind.
/// Costs are whole numbers: ways of equal cost go to the first track.
func pictureOwners(
  _ picture: PictureLevels, starts: [(x: Float, y: Float)], reach: Double
) -> [Int32] {
  var seeds = [Int32?](repeating: nil, count: picture.size.count)
  seed(starts, in: &seeds, width: picture.size.width)
  let unit = Int64(max(1, starts.count))
  let keys = cheapestPaths(picture, from: seeds, unit: unit, edgeCost: edgeCost)
  let last = Int64((Double(pixelCost) * reach).rounded(.down)) * unit + unit - 1
  return (0..<keys.count).map { keys[$0] <= last ? Int32(keys[$0] % unit) : -1 }
}

/// The number of the track that each pixel of a picture [P] is of, or N: those that are
/// nearer, along the picture, to its border than to a start.
func pictureOutlines(_ picture: PictureLevels, starts: [(x: Float, y: Float)]) -> [Int32] {
  let size = picture.size
  var seeds = [Int32?](repeating: nil, count: size.count)
  for pixel in 0..<size.count {
    let (x, y) = (pixel % size.width, pixel / size.width)
    guard x == 0 || y == 0 || x == size.width - 1 || y == size.height - 1 else { continue }
    seeds[pixel] = Int32(starts.count)
  }
  seed(starts, in: &seeds, width: size.width)
  let unit = Int64(starts.count + 1)
  let keys = cheapestPaths(picture, from: seeds, unit: unit, edgeCost: outlineCost)
  return (0..<keys.count).map { Int32(keys[$0] % unit) }
}

/// Puts the numbers of starts where they are; the first of those in one pixel.
private func seed(_ starts: [(x: Float, y: Float)], in seeds: inout [Int32?], width: Int) {
  for (index, start) in starts.enumerated() {
    let pixel = Int(start.y) * width + Int(start.x)
    seeds[pixel] = min(seeds[pixel] ?? .max, Int32(index))
  }
}

/// Cost * unit + number of the cheapest path to each pixel [P] from one that has a number, below unit.
private func cheapestPaths(
  _ picture: PictureLevels, from seeds: [Int32?], unit: Int64, edgeCost: Int64
) -> Buffer<Int64> {
  let (width, height) = (picture.size.width, picture.size.height)
  let far = Int64.max / 4
  let keys = Buffer(repeating: far, count: seeds.count)
  for (pixel, seed) in seeds.enumerated() { if let seed { keys[pixel] = Int64(seed) } }
  /// The cheaper of the best way to a pixel so far and that by way of another one.
  @inline(__always)
  func cheaper(_ best: Int64, from other: Int, to pixel: Int, by length: Int64) -> Int64 {
    // Most are no cheaper even if colours do not differ.
    guard keys[other] + length * unit < best else { return best }
    let cost = (length + edgeCost * Int64(picture.difference(pixel, other))) * unit
    return min(best, keys[other] + cost)
  }
  /// The cheapest way to every pixel by way of those before it in the order; whether it is new.
  func sweep(_ direction: Int) -> Bool {
    var changed = false
    for line in 0..<height {
      let y = direction > 0 ? line : height - 1 - line
      let before = y - direction
      let hasBefore = before >= 0 && before < height
      for place in 0..<width {
        let x = direction > 0 ? place : width - 1 - place
        let pixel = y * width + x
        var best = keys[pixel]
        if place > 0 {
          best = cheaper(best, from: pixel - direction, to: pixel, by: pixelCost)
        }
        if hasBefore {
          let above = before * width + x
          if x > 0 { best = cheaper(best, from: above - 1, to: pixel, by: diagonalCost) }
          best = cheaper(best, from: above, to: pixel, by: pixelCost)
          if x < width - 1 { best = cheaper(best, from: above + 1, to: pixel, by: diagonalCost) }
        }
        if best < keys[pixel] {
          keys[pixel] = best
          changed = true
        }
      }
    }
    return changed
  }
  var isOpen = true
  while isOpen {
    let forwards = sweep(1)
    isOpen = sweep(-1) || forwards
  }
  return keys
}
