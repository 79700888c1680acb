import CKernels

// Letters: H W picture size, P = H*W pixels.

/// Which place in the first picture comes to each pixel of a later one (`PictureWarp`).
struct PictureSources {
  /// [P, 2]; the pixel's own where nothing comes.
  let places: Tensor
  /// How what comes to a pixel stands there: from 3, in front, to 0, hidden; -1 nothing comes.
  let level: Buffer<Int8>
  private let size: PictureSize
  /// Pixels along each side of a square in which the tracks to try are the same.
  private let cell: Int
  /// Squares in a row.
  private let columns: Int
  /// Of each square the guides to try, -1 where there are no more.
  private let tried: Buffer<Int32>

  /// Tracks near a pixel that are tried.
  private static let most = 4
  /// Pixels that what comes to a pixel may miss it by.
  private static let misses: Float = 1.5
  /// Pixels around a track that moves unlike most that show its surroundings.
  private static let around: Float = 16

  init(_ size: PictureSize, cell: Int) {
    (self.size, self.cell) = (size, cell)
    columns = (size.width + cell - 1) / cell
    places = Tensor(size.count, 2)
    level = Buffer(repeating: -1, count: size.count)
    tried = Buffer(repeating: -1, count: (size.height + cell - 1) / cell * columns * Self.most)
  }

  /// `moves` [P, 2]: how far each pixel of the first picture has moved; `standing` [P]: how it stands
  /// where it comes to, -1 if it does not count; `isOf`: whether a place in the first picture is of what
  /// turns by this number.
  func find(
    _ guides: Buffer<TrackGuide>, moves: Tensor, standing: Buffer<Int8>, turning: [Turning],
    enclosures: [Enclosure], ground: Ground, pool: Pool,
    isOf: (_ number: Int, _ place: SIMD2<Float>) -> Bool
  ) {
    findTried(guides, pool)
    let (moves, standing) = (moves.pointer, standing.pointer)
    let (places, level) = (places.pointer, level.pointer)
    let (size, width) = (size, size.width)
    // Looked through for every pixel: nothing in them is counted by references.
    let (origins, hulls) = (turning.map(\.origin), enclosures.map(\.hull))
    let hullRows = hulls.map { $0.rows(size) }
    let hullColumns = hulls.map { $0.columns(size) }
    pool.run(size.height) { row in
      let turned = turning.indices.filter { turning[$0].rows.contains(row) }
      let crossed = hulls.indices.filter { hullRows[$0].contains(row) }
      withUnsafeTemporaryAllocation(of: Candidate.self, capacity: Self.most) { near in
        for square in 0..<columns {
          let (count, alone) = gather(guides, row / cell * columns + square, into: near)
          for column in square * cell..<min((square + 1) * cell, width) {
            let here = SIMD2(Float(column) + 0.5, Float(row) + 0.5)
            var (source, best, former) = (here, Int8(-1), -1)

            /// Looks at what comes from about here - move.
            func look(_ move: SIMD2<Float>) {
              let first = size.pixel(here.x - move.x, here.y - move.y)
              if first == former { return }  // the same comes
              former = first
              var x = here.x - moves[2 * first]
              var y = here.y - moves[2 * first + 1]
              var index = size.pixel(x, y)
              if index != first {
                x = here.x - moves[2 * index]
                y = here.y - moves[2 * index + 1]
                index = size.pixel(x, y)
              }
              guard standing[index] > best, size.holds(x, y) else { return }
              let missedX = x + moves[2 * index] - here.x
              let missedY = y + moves[2 * index + 1] - here.y
              guard missedX * missedX + missedY * missedY <= Self.misses * Self.misses else {
                return
              }
              (source, best) = (SIMD2(x, y), standing[index])
            }

            // The tracks near, then what stands. Once something seen is found, only what moves unlike
            // most is in front of it.
            var next = 0
            while next < count, best < 2 {
              look(near[next].move)
              next += 1
            }
            while next < alone, best < 3 {
              if near[next].isAlone { look(near[next].move) }
              next += 1
            }
            if best < 2 { look(.zero) }
            if best < 3 {
              for number in turned where turning[number].columns.contains(column) {
                let first = origins[number].of(here)
                guard isOf(number, first), turning[number].isSeen(at: here) else { continue }
                (source, best) = (first, 3)
                break
              }
            }
            if best < 3 {
              for number in crossed
              where hullColumns[number].contains(column) && hulls[number].encloses(here) {
                guard
                  let first = enclosures[number].first(
                    here,
                    isOf: { guide, place in
                      size.holds(place.x, place.y)
                        && ground.isOf(guide, size.pixel(place.x, place.y))
                    })
                else { continue }
                (source, best) = (first, 3)
                break
              }
            }
            if best < 3, alone > 0, let first = surroundings(here, near, count, guides, ground) {
              (source, best) = (first, 3)
            }
            let pixel = row * width + column
            (places[2 * pixel], places[2 * pixel + 1]) = (source.x, source.y)
            level[pixel] = best
          }
        }
      }
    }
  }

  /// What is used of a guide to try.
  private struct Candidate {
    let move, place: SIMD2<Float>
    /// Pixels that it counts as further away.
    let further: Float
    let isAlone: Bool
    let guide: Int32
  }

  /// Writes the guides to try in a square to `near`. How many there are, and how many up to the last that
  /// moves unlike most.
  private func gather(
    _ guides: Buffer<TrackGuide>, _ square: Int, into near: UnsafeMutableBufferPointer<Candidate>
  ) -> (count: Int, alone: Int) {
    let guides = guides.pointer
    var (count, alone) = (0, 0)
    while count < Self.most, tried[square * Self.most + count] >= 0 {
      let guide = tried[square * Self.most + count]
      let from = guides + Int(guide)
      near.initializeElement(
        at: count,
        to: Candidate(
          move: SIMD2(from.pointee.move.x, from.pointee.move.y), place: from.pointee.place,
          further: from.pointee.isSeen ? 0 : TrackGuide.hidden, isAlone: from.pointee.isAlone,
          guide: guide))
      count += 1
      if from.pointee.isAlone { alone = count }
    }
    return (count, alone)
  }

  /// The place that comes with the nearest of the guides to try, if that moves unlike most, is near and
  /// what comes is of the same thing.
  @inline(__always)
  private func surroundings(
    _ here: SIMD2<Float>, _ near: UnsafeMutableBufferPointer<Candidate>, _ count: Int,
    _ guides: Buffer<TrackGuide>, _ ground: Ground
  ) -> SIMD2<Float>? {
    var (nearest, least) = (0, Float.infinity)
    for index in 0..<count {
      let distance =
        TrackGuide.squared(here - near[index].place).squareRoot() + near[index].further
      if distance < least { (nearest, least) = (index, distance) }
    }
    guard least < .infinity, near[nearest].isAlone else { return nil }
    let first = here - near[nearest].move
    guard size.holds(first.x, first.y),
      TrackGuide.squared(here - near[nearest].place).squareRoot() <= Self.around
    else { return nil }
    let owner = Int(ground.owner[size.pixel(first.x, first.y)])
    guard owner >= 0,
      guides[owner].isOfTheSameThing(as: guides[Int(near[nearest].guide)])
    else { return nil }
    return first
  }

  /// The tracks nearest to every square now; hidden ones count as further away.
  private func findTried(_ guides: Buffer<TrackGuide>, _ pool: Pool) {
    let (most, tried) = (Self.most, tried.pointer)
    let specified = (0..<guides.count).filter { guides[$0].isSpecified }
    let known = specified.map { index in
      (
        place: guides[index].place, further: guides[index].isSeen ? 0 : TrackGuide.hidden,
        guide: Int32(index)
      )
    }
    pool.run((size.height + cell - 1) / cell) { row in
      let y = (Float(row) + 0.5) * Float(cell)
      for column in 0..<columns {
        let middle = SIMD2((Float(column) + 0.5) * Float(cell), y)
        let base = (row * columns + column) * most
        var count = 0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: most) { distances in
          var limit = Float.infinity  // squared, and a little more than that of the last
          for next in known {
            let square = TrackGuide.squared(middle - next.place)
            if square > limit { continue }
            let distance = square.squareRoot() + next.further
            if count == most, distance >= distances[most - 1] { continue }
            var place = min(count, most - 1)
            while place > 0, distances[place - 1] > distance {
              distances[place] = distances[place - 1]
              tried[base + place] = tried[base + place - 1]
              place -= 1
            }
            distances[place] = distance
            tried[base + place] = next.guide
            count = min(count + 1, most)
            if count == most { limit = distances[most - 1] * distances[most - 1] * 1.0001 }
          }
        }
        for place in count..<most { tried[base + place] = -1 }
      }
    }
  }
}

extension PictureSize {
  /// Whether a place in pixels lies on the picture.
  @inline(__always)
  func holds(_ x: Float, _ y: Float) -> Bool {
    x >= 0 && y >= 0 && x < Float(width) && y < Float(height)
  }

  /// The pixel of the picture that a place is in, or the nearest.
  @inline(__always)
  func pixel(_ x: Float, _ y: Float) -> Int {
    let (right, bottom) = (Float(width) - 1, Float(height) - 1)
    let column = x > 0 ? (x < right ? x : right) : 0
    let row = y > 0 ? (y < bottom ? y : bottom) : 0
    // On the picture: that they can be whole numbers need not be asked.
    return Int(ms_whole(row)) &* width &+ Int(ms_whole(column))
  }
}
