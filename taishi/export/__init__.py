"""Files for analysts: figures of places over a period as CSV, Parquet or GeoJSON, and who took them."""
