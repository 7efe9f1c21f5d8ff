"""What buyers pay AWS Marketplace for the software: units that invocations are charged as, instance hours, prices."""
