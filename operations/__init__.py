"""The operations-management platform: from an alert to somebody who acts."""
