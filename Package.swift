// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// The only allowed imports run downwards:
//
//   MotionStreamCLI -> MotionStream -> Tracks -> Frames, CZlib
//        |                  |-> CKernels -> COpenBLAS
//        |                  '-> CSentencePiece
//        |-> Motion -> Frames, Tracks, CVision
//        '-> Media -> Frames, CLibAV, CPNG
let package = Package(
  name: "motionstream",
  products: [
    .executable(name: "motionstream", targets: ["MotionStreamCLI"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CLibAV", pkgConfig: "libavformat",
      providers: [.apt(["libavformat-dev", "libavcodec-dev", "libswscale-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(
      name: "CSentencePiece",
      linkerSettings: [.linkedLibrary("sentencepiece"), .linkedLibrary("stdc++")]),
    .target(
      name: "CKernels", dependencies: ["COpenBLAS"],
      cSettings: [.unsafeFlags(["-O3", "-ffp-contract=fast"])],
      linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),
    .target(name: "Frames", swiftSettings: strict),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Tracks", dependencies: ["Frames", "CZlib"], swiftSettings: strict),
    .testTarget(
      name: "TracksTests", dependencies: ["Tracks", "Frames"], exclude: ["Samples"],
      swiftSettings: strict),
    .target(
      name: "MotionStream", dependencies: ["Frames", "Tracks", "CKernels", "CSentencePiece"],
      swiftSettings: strict),
    // OpenCV's own headers expect this folder in the search path; Debian's opencv4.pc needs all of it.
    .target(
      name: "CVision", cxxSettings: [.unsafeFlags(["-isystem", "/usr/include/opencv4"])],
      linkerSettings: [
        .linkedLibrary("opencv_imgproc"), .linkedLibrary("opencv_core"),
        .linkedLibrary("stdc++"), .linkedLibrary("dl"),
      ]),
    .target(
      name: "Motion", dependencies: ["Frames", "Tracks", "CVision"], swiftSettings: strict),
    .testTarget(
      name: "MotionTests", dependencies: ["Motion", "Tracks", "Frames"], swiftSettings: strict),
    .target(name: "Media", dependencies: ["Frames", "CLibAV", "CPNG"], swiftSettings: strict),
    .executableTarget(
      name: "MotionStreamCLI",
      dependencies: [
        "Frames", "Tracks", "MotionStream", "Media", "Motion",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "MotionStreamCLI", "Frames", "Media", "Tracks",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(name: "KernelTests", dependencies: ["CKernels"], swiftSettings: strict),
    .testTarget(
      name: "MotionStreamTests", dependencies: ["MotionStream", "Tracks", "Frames"],
      swiftSettings: strict),
    .testTarget(
      name: "MediaTests", dependencies: ["Media", "Frames"], exclude: ["Pictures"],
      swiftSettings: strict),
  ]
)
