package import Tracks

// Letters: H W picture size, P = H*W pixels (places at their centres), N tracks.

/// The first picture, moved frame by frame as the tracks move (image rule `channels`, tail `tracks`;
/// Wan-Move, 2512.08765, section 3.2, moves the first latent by whole latent frames instead).
///
/// Each pixel of the first picture is owned by the track whose start is nearest along the picture,
/// where a step costs more the more colours differ, so that owners end where objects do. It moves as
/// its owner does, with the turning and growing of the tracks around. A pixel of a later frame shows
/// the pixel that comes to it: it tries the tracks near it, the seen ones first, and looks whether
/// what they bring is theirs. Tracks of something that turns (`Things`) take its pixels along as one.
/// It shows sides that no pixel comes to: there, its outline is kept whole, or what its tracks enclose
/// shows what the nearest of them is on. What nothing comes to is filled from around, from what moves
/// as most does, with the texture of the ground (`Ground`). Only tracks that are seen in the first
/// picture count.
package final class PictureWarp {
  private let size: PictureSize
  /// [P, 3] in [0, 1].
  private let picture: Tensor
  private let pool: Pool
  private let guides: Buffer<TrackGuide>
  private let guideOfID: [Int: Int]
  /// Of each guide those that start nearest.
  private let neighbours: [[TrackGuide.Neighbour]]
  private let ground: Ground
  private var enclosures: [Enclosure] = []
  /// Pixels along each side of a square in which the tracks to try are the same.
  private let cell: Int
  /// Of each square the guides to try, -1 where there are no more.
  private let tried: Buffer<Int32>
  private let moves, source: Tensor  // [P, 2]
  /// How far every pixel of the first picture would move with most of it.
  private let usual: Buffer<SIMD2<Float>>
  /// How what comes to a pixel stands there: from 3, in front, to 0, hidden; -1 nothing comes.
  private let level: Buffer<Int8>
  private let isTorn: Buffer<Bool>
  private let things: Things
  private var turning: [Turning] = []
  /// Of each pixel of the first picture what it turns with: a guide, or one of these.
  private let role: Buffer<Int32>
  private static let (ordinary, beside): (Int32, Int32) = (-1, -2)
  private let filling: FillingPyramid

  /// Tracks near a pixel that are tried.
  private static let most = 4
  /// Pixels that what comes to a pixel may miss it by.
  private static let misses: Float = 1.5
  /// Pixels that what moves together may differ by.
  private static let apart: Float = 2
  /// Weight of what does not move as most does, for filling.
  private static let front: Float = 1e-3
  /// Pixels around a track that moves unlike most that show its surroundings.
  private static let around: Float = 16

  /// `picture` [P, 3] in [0, 1]; `start`: the tracks' points in it; `reach`: how many pixels away from
  /// its start a track owns pixels, along the cheapest way; `cell`: pixels of a latent cell.
  package init(
    picture: Tensor, size: PictureSize, reach: Double, cell: Int, start: [TrackPoint], pool: Pool
  ) {
    (self.picture, self.size, self.cell, self.pool) = (picture, size, cell, pool)
    var starts: [(x: Float, y: Float)] = []
    var guideOfID: [Int: Int] = [:]
    for point in start where point.visible && size.holds(point.x, point.y) {
      guideOfID[point.id] = starts.count
      starts.append((point.x, point.y))
    }
    self.guideOfID = guideOfID
    guides = Buffer(starts.map { TrackGuide(startX: $0.x, startY: $0.y) })
    neighbours = starts.indices.map { TrackGuide.neighbours(of: $0, among: starts) }
    let levels = PictureLevels(picture, size: size)
    ground = Ground(
      picture, size: size, owner: pictureOwners(levels, starts: starts, reach: reach),
      guides: guides, neighbours: neighbours)
    let squares = (size.height + cell - 1) / cell * ((size.width + cell - 1) / cell)
    tried = Buffer(repeating: -1, count: squares * Self.most)
    (moves, source) = (Tensor(size.count, 2), Tensor(size.count, 2))
    usual = Buffer(repeating: .zero, count: size.count)
    level = Buffer(repeating: -1, count: size.count)
    isTorn = Buffer(repeating: false, count: size.count)
    things = Things(guides, neighbours, picture: levels)
    role = Buffer(repeating: Self.ordinary, count: size.count)
    filling = FillingPyramid(size)
  }

  /// What the frames so far have told about what moves by itself: a copy is the warp at that moment.
  package struct Known: Sendable {
    /// The thing that each track is of, by its first track, or -1.
    fileprivate let thing: [Int]
    fileprivate let solids: [Solid]
  }

  package var known: Known {
    get { Known(thing: ground.thing, solids: things.solids) }
    set { (ground.thing, things.solids) = (newValue.thing, newValue.solids) }
  }

  /// What is known before the first frame.
  package var unknown: Known {
    Known(thing: [Int](repeating: -1, count: guides.count), solids: [])
  }

  /// The memory that the pictures of this size take, the first and the moved one counted in.
  static func byteCount(_ size: PictureSize) -> Int {
    let (picture, filling) = (3, 6)  // a third more than colour and weight, and some
    let floats = 2 * picture + 3 * 2 + filling
    let solids =
      MemoryLayout<Int>.stride + MemoryLayout<SIMD3<Float>>.stride
      + MemoryLayout<SIMD4<Int32>>.stride + MemoryLayout<SIMD4<Float>>.stride
    let numbers = 3 * MemoryLayout<Int32>.stride + 3 * MemoryLayout<Int16>.stride
    return size.count
      * (floats * MemoryLayout<Float>.stride + numbers + solids + 2 + Ground.bytesPerPixel)
  }

  /// Writes the picture as it is when the tracks are at `points` to `frame` [P, 3]. For every frame, in
  /// order.
  package func write(_ points: [TrackPoint], into frame: Matrix) {
    guard guides.count > 0 else { return frame.assign(picture.matrix) }
    place(points)
    movePixels()
    UsualMove(moves.pointer, size).write(to: usual, pool: pool)
    for index in 0..<guides.count {
      let start = at(guides[index].startX, guides[index].startY)
      guides[index].isAlone = isUnlike(guides[index].move, at: start)
    }
    if ground.look() { movePixels() }
    turnThings()
    enclosures = ground.groups().compactMap { members in
      guard members.contains(where: { guides[$0].isAlone && guides[$0].turning < 0 }) else {
        return nil
      }
      return Enclosure(members, guides, ground)
    }
    findTorn()
    findTried()
    findSources()
    fill(frame)
  }

  private func place(_ points: [TrackPoint]) {
    for index in 0..<guides.count {
      (guides[index].isSpecified, guides[index].isSeen) = (false, false)
    }
    for point in points {
      guard let index = guideOfID[point.id] else { continue }
      (guides[index].x, guides[index].y) = (point.x, point.y)
      guides[index].isSeen = point.visible && size.holds(point.x, point.y)
      guides[index].isSpecified = true
      guides[index].move = (point.x - guides[index].startX, point.y - guides[index].startY)
    }
    for index in 0..<guides.count where guides[index].isSpecified {
      guides[index].turn(among: guides, neighbours[index])
    }
  }

  /// How far every pixel of the first picture has moved.
  private func movePixels() {
    let (width, moves, owner, guides) = (size.width, moves.pointer, ground.owner, guides)
    pool.run(size.height) { row in
      for pixel in row * width..<(row + 1) * width {
        let index = Int(owner[pixel])
        guard index >= 0, guides[index].isSpecified else {
          (moves[2 * pixel], moves[2 * pixel + 1]) = (0, 0)
          continue
        }
        let guide = guides[index]
        let x = Float(pixel - row * width) + 0.5 - guide.startX
        let y = Float(row) + 0.5 - guide.startY
        moves[2 * pixel] = guide.move.x + (guide.gradient.0 * x + guide.gradient.1 * y)
        moves[2 * pixel + 1] = guide.move.y + (guide.gradient.2 * x + guide.gradient.3 * y)
      }
    }
  }

  /// Moves what turns as one; what is beside its outline, though its guides own it, as most.
  private func turnThings() {
    if !turning.isEmpty {
      for pixel in 0..<size.count { role[pixel] = Self.ordinary }
      for index in 0..<guides.count { guides[index].turning = -1 }
    }
    turning = things.turned().map { Turning($0.solid, $0.pose) }
    guard !turning.isEmpty else { return }
    let (moves, owner) = (moves.pointer, ground.owner)
    for (number, turning) in turning.enumerated() {
      for member in turning.solid.members { guides[member].turning = number }
    }
    for pixel in 0..<size.count {
      guard owner[pixel] >= 0, guides[Int(owner[pixel])].turning >= 0 else { continue }
      role[pixel] = Self.beside
      (moves[2 * pixel], moves[2 * pixel + 1]) = (usual[pixel].x, usual[pixel].y)
    }
    for turning in turning { turning.write(guides, moves, role) }
    for number in turning.indices {
      turning[number].findTracks(guides, number) { isOf(number, $0) }
    }
  }

  /// Whether a place in the first picture is of what turns by this number.
  @inline(__always)
  private func isOf(_ number: Int, _ place: SIMD2<Float>) -> Bool {
    guard size.holds(place.x, place.y) else { return false }
    let guide = role[Int(place.y) * size.width + Int(place.x)]
    return guide >= 0 && guides[Int(guide)].turning == number
  }

  /// The pixels beside which something moves another way: their colours mix what parts.
  private func findTorn() {
    let (width, height, moves, isTorn) = (size.width, size.height, moves.pointer, isTorn)
    pool.run(height) { row in
      for column in 0..<width {
        let pixel = row * width + column
        let above = row > 0 ? pixel - width : pixel
        let below = row < height - 1 ? pixel + width : pixel
        let left = column > 0 ? pixel - 1 : pixel
        let right = column < width - 1 ? pixel + 1 : pixel
        func range(_ axis: Int) -> Float {
          let (a, b) = (moves[2 * above + axis], moves[2 * below + axis])
          let (c, d) = (moves[2 * left + axis], moves[2 * right + axis])
          let own = moves[2 * pixel + axis]
          return max(max(max(a, b), max(c, d)), own) - min(min(min(a, b), min(c, d)), own)
        }
        isTorn[pixel] = range(0) > Self.apart || range(1) > Self.apart
      }
    }
  }

  /// The tracks nearest to every square now; hidden ones count as further away.
  private func findTried() {
    let columns = (size.width + cell - 1) / cell
    let (cell, most, guides, tried) = (cell, Self.most, guides, tried)
    pool.run((size.height + cell - 1) / cell) { row in
      let y = (Float(row) + 0.5) * Float(cell)
      for column in 0..<columns {
        let x = (Float(column) + 0.5) * Float(cell)
        let base = (row * columns + column) * most
        var count = 0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: most) { distances in
          for index in 0..<guides.count where guides[index].isSpecified {
            let distance = guides[index].distance(toX: x, y)
            if count == most, distance >= distances[most - 1] { continue }
            var place = min(count, most - 1)
            while place > 0, distances[place - 1] > distance {
              distances[place] = distances[place - 1]
              tried[base + place] = tried[base + place - 1]
              place -= 1
            }
            distances[place] = distance
            tried[base + place] = Int32(index)
            count = min(count + 1, most)
          }
        }
        for place in count..<most { tried[base + place] = -1 }
      }
    }
  }

  /// Which pixel of the first picture comes to every pixel.
  private func findSources() {
    let (width, cell, most) = (size.width, cell, Self.most)
    let columns = (width + cell - 1) / cell
    let (moves, source) = (moves.pointer, source.pointer)
    let (owner, guides, tried, isTorn, level) = (ground.owner, guides, tried, isTorn, level)
    let (turning, role, enclosures) = (turning, role, enclosures)
    // Looked through for every pixel: nothing in them is counted by references.
    let (origins, hulls) = (turning.map(\.origin), enclosures.map(\.hull))
    let rows = hulls.map { $0.rows(size) }
    let (right, bottom) = (Float(width), Float(size.height))
    pool.run(size.height) { row in
      let crossed = hulls.indices.filter { rows[$0].contains(row) }
      for column in 0..<width {
        let pixel = row * width + column
        let (hereX, hereY) = (Float(column) + 0.5, Float(row) + 0.5)
        var (sourceX, sourceY) = (hereX, hereY)
        var best: Int8 = -1
        let candidates = (row / cell * columns + column / cell) * most
        for place in 0...most {
          // The tracks near, then what stands. Once something seen is found, only what moves unlike
          // most is in front of it.
          var (x, y) = (hereX, hereY)
          if place < most {
            let candidate = Int(tried[candidates + place])
            guard candidate >= 0, best < 2 || guides[candidate].isAlone else { continue }
            x -= guides[candidate].move.x
            y -= guides[candidate].move.y
          } else if best == 2 {
            continue
          }
          for _ in 0..<2 {
            let index = at(x, y)
            x = hereX - moves[2 * index]
            y = hereY - moves[2 * index + 1]
          }
          guard x >= 0, y >= 0, x < right, y < bottom else { continue }
          let index = at(x, y)
          let missedX = x + moves[2 * index] - hereX
          let missedY = y + moves[2 * index + 1] - hereY
          guard !isTorn[index],
            missedX * missedX + missedY * missedY <= Self.misses * Self.misses
          else { continue }
          // In front is what is seen now, first what moves unlike most; then what nothing moves,
          // and what is hidden.
          let guide = Int(owner[index])
          var stands: Int8 = 1
          if role[index] >= 0 {
            stands = guides[Int(role[index])].isSeen ? 3 : 0
          } else if role[index] != Self.beside, guide >= 0, guides[guide].isSpecified {
            let isAlone = isUnlike((moves[2 * index], moves[2 * index + 1]), at: index)
            stands = guides[guide].isSeen ? (isAlone ? 3 : 2) : 0
          }
          guard stands > best else { continue }
          (sourceX, sourceY, best) = (x, y, stands)
          if best == 3 { break }
        }
        if best < 3 {
          for number in origins.indices {
            let here = SIMD2(hereX, hereY)
            let first = origins[number].of(here)
            guard isOf(number, first), turning[number].isSeen(at: here) else { continue }
            (sourceX, sourceY, best) = (first.x, first.y, 3)
            break
          }
        }
        if best < 3 {
          for number in crossed where hulls[number].encloses(SIMD2(hereX, hereY)) {
            guard
              let first = enclosures[number].first(
                SIMD2(hereX, hereY),
                isOf: { [self] guide, place in
                  size.holds(place.x, place.y) && ground.isOf(guide, at(place.x, place.y))
                })
            else { continue }
            (sourceX, sourceY, best) = (first.x, first.y, 3)
            break
          }
        }
        if best < 3, let guide = nearestTried(from: candidates, toX: hereX, hereY), guide.isAlone {
          let (x, y) = (hereX - guide.move.x, hereY - guide.move.y)
          if x >= 0, y >= 0, x < right, y < bottom,
            TrackGuide.length(hereX - guide.x, hereY - guide.y) <= Self.around
          {
            let owner = Int(owner[at(x, y)])
            if owner >= 0, guides[owner].isOfTheSameThing(as: guide) {
              (sourceX, sourceY, best) = (x, y, 3)
            }
          }
        }
        source[2 * pixel] = sourceX
        source[2 * pixel + 1] = sourceY
        level[pixel] = best
      }
    }
  }

  /// Of the guides to try in a square, whose first is `tried[first]`, the one nearest to a place.
  @inline(__always)
  private func nearestTried(from first: Int, toX x: Float, _ y: Float) -> TrackGuide? {
    var (nearest, least): (TrackGuide?, Float) = (nil, .infinity)
    for place in first..<first + Self.most where tried[place] >= 0 {
      let guide = guides[Int(tried[place])]
      let distance = guide.distance(toX: x, y)
      if distance < least { (nearest, least) = (guide, distance) }
    }
    return nearest
  }

  /// Reads the first picture at the sources and fills what has none.
  private func fill(_ frame: Matrix) {
    let (size, source, picture) = (size, source.pointer, picture.pointer)
    let (level, weight, isHidden) = (level, filling.weight, ground.isHidden)
    pool.run(size.height) { row in
      for column in 0..<size.width {
        let pixel = row * size.width + column
        let (x, y) = (source[2 * pixel], source[2 * pixel + 1])
        Self.read(picture, 3, size, x, y, into: frame.base + pixel * frame.stride)
        let move = (Float(column) + 0.5 - x, Float(row) + 0.5 - y)
        let first = at(x, y)
        let isCommon = !isHidden[first] && !isUnlike(move, at: first)
        weight[pixel] = level[pixel] < 0 ? 0 : isCommon ? 1 : Self.front
      }
    }
    filling.fill(frame, pool: pool)
    let texture = ground.texture.pointer
    pool.run(size.height) { row in
      for column in 0..<size.width where level[row * size.width + column] < 0 {
        let pixel = row * size.width + column
        let (hereX, hereY) = (Float(column) + 0.5, Float(row) + 0.5)
        var behind = usual[pixel]
        behind = usual[at(hereX - behind.x, hereY - behind.y)]
        let x = Self.reflected(hereX - behind.x, Float(size.width))
        let y = Self.reflected(hereY - behind.y, Float(size.height))
        var finer: Float = 0
        Self.read(texture, 1, size, x, y, into: &finer)
        let colour = frame.base + pixel * frame.stride
        for channel in 0..<3 { colour[channel] = min(max(colour[channel] + finer, 0), 1) }
      }
    }
  }

  /// The pixel of the first picture that a place is in, or the nearest.
  @inline(__always)
  private func at(_ x: Float, _ y: Float) -> Int {
    let column = x > 0 ? min(x, Float(size.width) - 1) : 0
    let row = y > 0 ? min(y, Float(size.height) - 1) : 0
    return Int(row) * size.width + Int(column)
  }

  /// A coordinate, mirrored where it is beyond 0 or `size`.
  private static func reflected(_ x: Float, _ size: Float) -> Float {
    abs(x) > size ? 2 * size - abs(x) : abs(x)
  }

  /// A picture [P, channels] at a place, bilinear, the border repeated.
  @inline(__always)
  private static func read(
    _ picture: UnsafePointer<Float>, _ channels: Int, _ size: PictureSize,
    _ placeX: Float, _ placeY: Float, into colour: UnsafeMutablePointer<Float>
  ) {
    let x = min(max(placeX - 0.5, 0), Float(size.width - 1))
    let y = min(max(placeY - 0.5, 0), Float(size.height - 1))
    let (left, top) = (Int(x), Int(y))
    let (u, v) = (x - Float(left), y - Float(top))
    let right = min(left + 1, size.width - 1)
    let (above, below) = (top * size.width, min(top + 1, size.height - 1) * size.width)
    for channel in 0..<channels {
      func value(_ pixel: Int) -> Float { picture[channels * pixel + channel] }
      let upper = value(above + left) * (1 - u) + value(above + right) * u
      let lower = value(below + left) * (1 - u) + value(below + right) * u
      colour[channel] = upper * (1 - v) + lower * v
    }
  }

  /// Whether a pixel of the first picture that moves so does not move as most does.
  @inline(__always)
  private func isUnlike(_ move: (Float, Float), at pixel: Int) -> Bool {
    let (x, y) = (move.0 - usual[pixel].x, move.1 - usual[pixel].y)
    return x * x + y * y > Self.apart * Self.apart
  }
}

extension PictureSize {
  /// Whether a place in pixels lies on the picture.
  fileprivate func holds(_ x: Float, _ y: Float) -> Bool {
    x >= 0 && y >= 0 && x < Float(width) && y < Float(height)
  }
}
