/// The JSON Schema (draft 2020-12) of the track document. What it cannot say (unique ids, rising
/// keyframes, as many flags as points) is in its descriptions and checked by the parser.
public enum TrackSchema {
  /// The schema as JSON text.
  public static let json = """
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "motionstream-tracks, version 1",
      "description": "Point trajectories on a canvas. x runs right, y runs down, frames count from 0. Fields whose name starts with x- are kept and ignored; other unknown fields are ignored with a warning.",
      "type": "object",
      "required": ["format", "version", "width", "height", "fps", "tracks"],
      "properties": {
        "format": {"const": "motionstream-tracks"},
        "version": {"const": 1},
        "width": {"description": "Canvas width in pixels.", "type": "integer", "minimum": 1, "maximum": 65536},
        "height": {"description": "Canvas height in pixels.", "type": "integer", "minimum": 1, "maximum": 65536},
        "coordinates": {"description": "pixel: canvas pixels. normalized: 0 to 1 over width and over height.", "enum": ["pixel", "normalized"], "default": "pixel"},
        "pixel_origin": {"description": "corner: (0, 0) is the top-left corner of the first pixel. center: its middle; only for pixel coordinates.", "enum": ["corner", "center"], "default": "corner"},
        "fps": {
          "description": "Frames per second of every frame number here: a number, or a ratio such as 30000/1001.",
          "oneOf": [
            {"type": "number", "minimum": 0.001, "maximum": 1000},
            {"type": "string", "pattern": "^[1-9][0-9]*/[1-9][0-9]*$"}
          ]
        },
        "frame_count": {"description": "Frames of the clip; null or absent: open-ended.", "type": ["integer", "null"], "minimum": 1, "maximum": 10000000},
        "tracks": {"type": "array", "minItems": 1, "maxItems": 100000, "items": {"$ref": "#/$defs/track"}},
        "camera": {"description": "Kept, not applied."},
        "source": {"description": "Where the tracks come from: tool, version, original file, filters."}
      },
      "$defs": {
        "coordinate": {"type": "number", "minimum": -1000000, "maximum": 1000000},
        "position": {"description": "[x, y]", "type": "array", "items": {"$ref": "#/$defs/coordinate"}, "minItems": 2, "maxItems": 2},
        "track": {
          "description": "One trajectory. Its own frame 0 stands at start_frame; points, keyframes and visible all count from there. Before it, and before the first keyframe, the track is unspecified.",
          "type": "object",
          "required": ["id"],
          "oneOf": [{"required": ["points"]}, {"required": ["keyframes"]}, {"required": ["static"]}],
          "properties": {
            "id": {"description": "Unique. Picks the track's embedding, so it changes the result.", "type": "integer", "minimum": 0, "maximum": 2147483647},
            "name": {"description": "For people.", "type": ["string", "null"], "maxLength": 1000},
            "group": {"description": "For people.", "type": ["string", "null"], "maxLength": 1000},
            "color": {"description": "For drawing.", "type": ["string", "null"], "maxLength": 1000},
            "start_frame": {"type": "integer", "minimum": 0, "maximum": 10000000, "default": 0},
            "points": {
              "description": "One position per frame. null: unspecified, which is not the same as hidden. Between two points the movement is straight; a stretch that touches null is unspecified.",
              "type": "array", "minItems": 1, "maxItems": 10000000,
              "items": {"oneOf": [{"$ref": "#/$defs/position"}, {"type": "null"}]}
            },
            "keyframes": {
              "description": "Positions at rising times.",
              "type": "array", "minItems": 1, "maxItems": 10000000, "items": {"$ref": "#/$defs/keyframe"}
            },
            "static": {"description": "A point that never moves.", "$ref": "#/$defs/position"},
            "visible": {
              "description": "Visible 1 or hidden 0, per frame: either one flag per frame, or runs [flag, number of frames]. With points there must be as many frames as points; otherwise the last flag lasts. Absent: visible.",
              "oneOf": [
                {"type": "array", "minItems": 1, "items": {"enum": [0, 1]}},
                {
                  "type": "array", "minItems": 1,
                  "items": {
                    "type": "array", "minItems": 2, "maxItems": 2,
                    "prefixItems": [{"enum": [0, 1]}, {"type": "integer", "minimum": 1, "maximum": 10000000}]
                  }
                }
              ]
            },
            "after": {
              "description": "Past the last point or keyframe. drop: unspecified. hold: stays as the last frame. loop: n points repeat every n frames; keyframes repeat from the last to the first, which should be the same place.",
              "enum": ["drop", "hold", "loop"], "default": "drop"
            }
          }
        },
        "keyframe": {
          "type": "object",
          "required": ["x", "y"],
          "oneOf": [{"required": ["frame"]}, {"required": ["time"]}],
          "properties": {
            "frame": {"type": "integer", "minimum": 0, "maximum": 10000000},
            "time": {"description": "Seconds.", "type": "number", "minimum": 0},
            "x": {"$ref": "#/$defs/coordinate"},
            "y": {"$ref": "#/$defs/coordinate"},
            "ease": {
              "description": "Shape of the movement that arrives at this keyframe; u is the share of the time. linear: u. ease_in: u^2. ease_out: 1-(1-u)^2. ease_in_out: 2u^2 up to the middle, then 1-2(1-u)^2. hold: stays, then jumps. spline: Catmull-Rom curve through the neighbours.",
              "enum": ["linear", "ease_in", "ease_out", "ease_in_out", "hold", "spline"], "default": "linear"
            }
          }
        }
      }
    }

    """
}
