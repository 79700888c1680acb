public import ArgumentParser
public import Motion
public import Tracks

extension CameraPreset: ExpressibleByArgument {}

extension DepthMap.Meaning: ExpressibleByArgument {}

extension Easing: ExpressibleByArgument {}

extension ExtractionSettings.Method: ExpressibleByArgument {}
