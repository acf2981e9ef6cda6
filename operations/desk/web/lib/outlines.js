// Outlines in degrees to paths of a drawing: longitude shrinks by the latitude's cosine.
const SIZE = 400;

export const rings = ({ geometry }) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);

function bounds(shapes) {
  const points = shapes.flatMap((each) => rings(each).flat(2));
  const [longitudes, latitudes] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...longitudes), Math.min(...latitudes), Math.max(...longitudes), Math.max(...latitudes)];
}

export function middle(shape) {
  const [west, south, east, north] = bounds([shape]);
  return [(west + east) / 2, (south + north) / 2];
}

// `box`: the drawing's viewBox; `flat`: degrees to its points; `to`: the same as text.
export function projection(shapes) {
  const [west, south, east, north] = bounds(shapes);
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = SIZE / Math.max((east - west) * squeeze, north - south);
  const flat = ([x, y]) => [(x - west) * squeeze * scale, (north - y) * scale].map((each) => Math.round(each * 10) / 10);
  const box = `-8 -8 ${(east - west) * squeeze * scale + 16} ${(north - south) * scale + 16}`;
  return { box, flat, to: (point) => flat(point).join(" ") };
}

export const drawn = (shape, to) => rings(shape).flat().map((ring) => `M${ring.map(to).join("L")}Z`).join("");
