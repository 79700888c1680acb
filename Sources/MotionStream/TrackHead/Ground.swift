// Letters: H W picture size, P = H*W pixels, N tracks.

/// What of the first picture is of no thing that moves by itself, and what it looks like behind things.
///
/// Tracks that move unlike most are of things, together with those linked to them, neighbours that
/// hardly part. The ground is the first picture without things: where they were its rows go on from
/// both sides, mirrored. Of that only what is finer than `blur` pixels is used: it gives the soft
/// colours that fill what things uncover the ground's texture.
final class Ground {
  private let guides: Buffer<TrackGuide>
  private let neighbours: [[TrackGuide.Neighbour]]
  private let size: PictureSize
  /// Of the picture [P].
  private let brightness: [Float]
  private let ownerByColour: [Int32]
  /// The track that starts nearest to each pixel, where that was asked; -1 elsewhere.
  private var nearest: [Int32]
  /// The thing that each track is of, by its first track, or -1; all that frames change here, but for
  /// what follows from it.
  var thing: [Int] { didSet { if thing != oldValue { findGround() } } }

  /// The guide that owns each pixel, or -1.
  let owner: Buffer<Int32>
  /// The pixels that things are on.
  let isHidden: Buffer<Bool>
  /// [P], of the brightness, which is in [0, 1].
  let texture: Tensor

  /// Share of their distance by which neighbours that stay linked may part, and pixels more.
  private static let (strain, slack): (Float, Float) = (0.5, 1)
  /// Tracks that enclose something.
  private static let fewest = 4
  /// Of the tracks around a track, those that tell how far it speaks for its thing.
  private static let close = 4
  /// Pixels around a thing whose colours are mixed with its own.
  private static let rim = 2
  /// The sides of a row meet in the middle third of what was missing.
  private static let seam: Float = 3
  /// Pixels around a pixel of whose mean a texture is the difference.
  private static let blur = 16

  /// `picture` [P, 3]; `owner`: of each pixel the guide that owns it, or -1; `neighbours`: of each
  /// track those that start nearest.
  init(
    _ picture: Tensor, size: PictureSize, owner: [Int32], guides: Buffer<TrackGuide>,
    neighbours: [[TrackGuide.Neighbour]]
  ) {
    (self.size, self.guides, self.neighbours, ownerByColour) = (size, guides, neighbours, owner)
    let colours = picture.pointer
    brightness = (0..<size.count).map {
      (colours[3 * $0] + colours[3 * $0 + 1] + colours[3 * $0 + 2]) / 3
    }
    nearest = [Int32](repeating: -1, count: size.count)
    thing = [Int](repeating: -1, count: guides.count)
    self.owner = Buffer(owner)
    isHidden = Buffer(repeating: false, count: size.count)
    texture = Tensor(size.count)
    findTexture()
  }

  /// Bytes for each pixel, those of finding the texture counted in.
  static let bytesPerPixel =
    3 * MemoryLayout<Int32>.stride + 1 + 4 * MemoryLayout<Float>.stride
    + MemoryLayout<Double>.stride

  /// Tells things from the ground, now that the guides are where they are. For every frame, in order.
  /// Whether anything has changed.
  func look() -> Bool {
    let before = thing
    var thing = before
    let isAlone = (0..<guides.count).map { guides[$0].isSpecified && guides[$0].isAlone }
    if before.indices.contains(where: { before[$0] < 0 && isAlone[$0] }) {
      let part = TrackGuide.parts(neighbours) {
        isAlone[$0] && isAlone[$1.guide] && guides[$0].isLinked(to: guides[$1.guide], $1.distance)
      }
      var first = Array(before.indices)  // what is linked to a thing is of it
      for index in before.indices.reversed() where before[index] >= 0 { first[part[index]] = .max }
      for index in before.indices where before[index] >= 0 {
        first[part[index]] = min(first[part[index]], before[index])
      }
      for index in before.indices where before[index] < 0 && isAlone[index] {
        thing[index] = first[part[index]]
      }
    }
    let part = TrackGuide.parts(neighbours) { one, near in
      let (one, other) = (one, near.guide)
      guard thing[one] == thing[other], guides[one].isSpecified, guides[other].isSpecified else {
        return false
      }
      return guides[one].parted(from: guides[other]) <= Self.strain * near.distance + Self.slack
    }
    var most = [Int](repeating: 0, count: guides.count)
    for index in 0..<guides.count { most[part[index]] += isAlone[index] ? 1 : -1 }
    for index in 0..<guides.count where most[part[index]] <= 0 && guides[index].isSpecified {
      thing[index] = -1
    }
    self.thing = thing
    return thing != before
  }

  private func findGround() {
    for pixel in 0..<size.count { owner[pixel] = ownerByColour[pixel] }
    for members in groups(of: { thing[$0] >= 0 }, where: { _, _ in true }) { claim(members) }
    hide()
    findTexture()
  }

  /// The tracks of each thing that say something, where they are still near each other.
  func groups() -> [[Int]] {
    groups(of: { thing[$0] >= 0 && guides[$0].isSpecified }) {
      guides[$0].isLinked(to: guides[$1.guide], $1.distance)
    }
  }

  private func groups(
    of counts: (Int) -> Bool, where isLinked: (Int, TrackGuide.Neighbour) -> Bool
  ) -> [[Int]] {
    let isOf = (0..<guides.count).map(counts)
    let part = TrackGuide.parts(neighbours) {
      isOf[$0] && isOf[$1.guide] && thing[$0] == thing[$1.guide] && isLinked($0, $1)
    }
    var groups = [[Int]](repeating: [], count: guides.count)
    for index in 0..<guides.count where isOf[index] { groups[part[index]].append(index) }
    return groups.filter { $0.count >= Self.fewest }
  }

  /// Whether a pixel of the first picture is of the same thing as a guide.
  func isOf(_ guide: Int, _ pixel: Int) -> Bool {
    owner[pixel] >= 0 && thing[Int(owner[pixel])] == thing[guide]
  }

  /// How far a track speaks for its thing when the tracks are at `place`.
  func reach(_ index: Int, _ place: (TrackGuide) -> SIMD2<Float>) -> Float {
    var reach: Float = 0
    for near in neighbours[index].prefix(Self.close) where thing[near.guide] == thing[index] {
      let away = place(guides[near.guide]) - place(guides[index])
      reach = max(reach, TrackGuide.length(away.x, away.y))
    }
    return reach + Self.slack
  }

  /// Gives a thing the pixels among its tracks that are of none: those of another colour than these
  /// are on.
  private func claim(_ members: [Int]) {
    let isMember = Set(members)
    let hull = Hull(members.map { guides[$0].start })
    for row in hull.rows(size) {
      for column in hull.columns(size) {
        let pixel = row * size.width + column
        let place = SIMD2(Float(column), Float(row)) + 0.5
        let free = owner[pixel] < 0 || thing[Int(owner[pixel])] < 0
        guard free, hull.encloses(place) else { continue }
        let track = nearestStart(pixel, place)
        guard isMember.contains(track) else { continue }
        let away = guides[track].start - place
        if TrackGuide.length(away.x, away.y) <= reach(track, \.start) {
          owner[pixel] = Int32(track)
        }
      }
    }
  }

  private func nearestStart(_ pixel: Int, _ place: SIMD2<Float>) -> Int {
    if nearest[pixel] < 0 {
      var least = Float.infinity
      for index in 0..<guides.count {
        let away = guides[index].start - place
        let distance = TrackGuide.length(away.x, away.y)
        if distance < least { (least, nearest[pixel]) = (distance, Int32(index)) }
      }
    }
    return Int(nearest[pixel])
  }

  /// Finds the pixels that things are on, with their rims.
  private func hide() {
    let (width, height, rim) = (size.width, size.height, Self.rim)
    for pixel in 0..<size.count { isHidden[pixel] = false }
    for pixel in 0..<size.count where owner[pixel] >= 0 && thing[Int(owner[pixel])] >= 0 {
      let (column, row) = (pixel % width, pixel / width)
      for y in max(row - rim, 0)...min(row + rim, height - 1) {
        for x in max(column - rim, 0)...min(column + rim, width - 1) {
          isHidden[y * width + x] = true
        }
      }
    }
  }

  /// What of the brightness of the picture without its hidden pixels is finer than `blur` pixels.
  private func findTexture() {
    let (width, height) = (size.width, size.height)
    var whole = brightness
    var isBare = [Bool](repeating: false, count: height)
    for row in 0..<height { isBare[row] = !mirror(row, &whole) }
    var blurred = whole
    for row in 0..<height { blur(&blurred, from: row * width, by: 1, count: width) }
    for column in 0..<width { blur(&blurred, from: column, by: width, count: height) }
    for pixel in 0..<size.count {
      texture.pointer[pixel] = isBare[pixel / width] ? 0 : whole[pixel] - blurred[pixel]
    }
  }

  /// Takes the hidden pixels of a row from both of their sides, mirrored, as often as needed over what
  /// is there; false if nothing is.
  private func mirror(_ row: Int, _ whole: inout [Float]) -> Bool {
    let base = row * size.width
    let there = (0..<size.width).filter { !isHidden[base + $0] }
    guard let last = there.indices.last else { return false }
    var right = 0  // of what is there, the first one to the right
    for column in 0..<size.width {
      guard isHidden[base + column] else {
        right += 1
        continue
      }
      let (isLeft, isRight) = (right > 0, right <= last)
      let toLeft = column - there[max(right - 1, 0)]
      let toRight = there[min(right, last)] - column
      let fromLeft = brightness[base + there[min(max(right - toLeft, 0), last)]]
      let fromRight = brightness[base + there[min(max(right - 1 + toRight, 0), last)]]
      var share = Float(toLeft) / Float(toLeft + toRight)
      share = min(max((share - 0.5) * Self.seam + 0.5, 0), 1)
      share = isLeft ? isRight ? share : 0 : 1
      whole[base + column] = fromLeft * (1 - share) + fromRight * share
    }
    return true
  }

  /// Means over 2 `blur` + 1 of `count` values, of those that there are.
  private func blur(_ values: inout [Float], from first: Int, by step: Int, count: Int) {
    var total = [0.0]
    for index in 0..<count { total.append(total[index] + Double(values[first + index * step])) }
    for index in 0..<count {
      let (below, above) = (max(index - Self.blur, 0), min(index + Self.blur + 1, count))
      values[first + index * step] = Float((total[above] - total[below]) / Double(above - below))
    }
  }
}
