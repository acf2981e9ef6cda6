// Where this terminal is, WGS-84: asked of the browser when it is needed, and not kept.
const LIMIT_MS = 10_000;

export function position() {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) return reject(new Error("geolocation"));
    const told = ({ coords }) => resolve({ longitude: coords.longitude, latitude: coords.latitude });
    navigator.geolocation.getCurrentPosition(told, reject, { enableHighAccuracy: true, timeout: LIMIT_MS, maximumAge: LIMIT_MS });
  });
}
