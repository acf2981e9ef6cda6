"""HL7 FHIR R4 Observations: vital signs."""
